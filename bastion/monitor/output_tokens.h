// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::monitor {

// What a terminal's output does, as far as it tells an echo from anything else.
struct OutputToken {
  enum class Kind : uint8_t {
    text,        // bytes that are shown
    newline,     // LF
    to_margin,   // CR
    move,        // `columns` to the right, or to the left
    erase,       // to the right of the cursor, where the cursor stays
    rub_out,     // "\b \b": the character before the cursor is gone
    new_screen,  // a prompt is ready for a new line (bracketed paste is on), or a full-screen
                 // program has left
    nothing
  };
  Kind kind = Kind::nothing;
  std::string_view text{};  // points into what was split
  int columns = 0;
};

// Splits output as it comes; escape sequences may be cut anywhere. One that never ends hides
// everything after it, so that nothing behind it is taken for an echo.
class OutputTokens {
public:
  void split(std::string_view bytes, std::vector<OutputToken>& out);

private:
  enum class State : uint8_t { ground, escape, designate, csi, string, string_escape };
  size_t ground(std::string_view bytes, std::vector<OutputToken>& out);
  void escape(char c);
  void csi(char c, std::vector<OutputToken>& out);
  OutputToken csi_token(char final_byte) const;

  State state_ = State::ground;
  std::string parameters_;
};

}  // namespace sallyport::monitor
