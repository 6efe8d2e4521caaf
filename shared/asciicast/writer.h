// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/asciicast/event.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

// Lines end in "\n"; the text is lossless: what the reader gives back is what was written.

// `text` as a JSON string with its quotes. Valid UTF-8 is kept; C0, DEL, C1 are \u escapes, so that
// a cast shown raw cannot drive a terminal. Invalid bytes become U+FFFD: see exact_bytes.h.
void append_json_string(std::string& out, std::string_view text);

// The header line as `header.version` (2 or 3) has it.
std::string asciicast_header_line(const AsciicastHeader& header);

// [seconds, "code", "text"]: v3 wants the interval since the event before, v2 the absolute time.
void append_asciicast_event(std::string& out, uint64_t time_us, char code, std::string_view data);

// A whole file from events with absolute times; so, with AsciicastReader, the way from any version
// to another. v2 leaves out what its specification does not know (x, and our own codes).
class AsciicastWriter {
public:
  explicit AsciicastWriter(int version) : version_(version) {}
  void append(std::string& out, const AsciicastEvent& event);

private:
  int version_;
  uint64_t last_us_ = 0;
};

}  // namespace sallyport
