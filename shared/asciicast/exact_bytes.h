// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/asciicast/event.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// JSON text is UTF-8 and what programs print need not be. So a read that is not valid UTF-8 on its
// own, or that follows one which ended inside a character, is written twice:
//
//   [dt,"O",base64 of the exact bytes]      for us; "I" for input
//   [0.0,"o",readable text]                 for every other player; "i" for input
//
// In the readable text a character that the end of a read cut in two is carried over to the next
// read of the same kind, and each invalid byte is one U+FFFD. Other players ignore codes that they
// do not know; ours takes the "O" and leaves out the "o" that directly follows it.

// One direction of one channel, the writing side.
class ExactEncoder {
public:
  explicit ExactEncoder(char code) : code_(code) {}  // 'o' or 'i'
  // Appends one or two event lines of v3 for one read of at least one byte.
  void append(std::string& out, uint64_t interval_us, std::string_view bytes);

private:
  std::string take_readable(std::string_view bytes);

  char code_;
  std::string carry_;  // 1 to 3 bytes of an unfinished character
};

// The reading side: events as read, in order, to events with exact bytes.
class ExactDecoder {
public:
  // The event to show: its data is bytes, no longer always UTF-8. None where it is a twin, or
  // where an "O" is not base64 (the readable twin then counts).
  std::optional<AsciicastEvent> take(AsciicastEvent event);

private:
  char skip_ = 0;
};

}  // namespace sallyport
