// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct TerminalSize {
  int columns;
  int rows;
};

// "COLSxROWS" of a resize event, clamped to what the emulator takes.
std::optional<TerminalSize> parse_size(std::string_view text);

// What a channel without a terminal printed, as a terminal wants it: a line feed alone becomes
// CR LF. Keeps what it must know between two pieces.
struct ReturnAdder {
  bool after_return = false;
  void append(std::string& out, std::string_view data);
};

}  // namespace sallyport
