// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

// [number, "code", "data"] as it stands in a line of v2 and v3, read without building a document.
struct AsciicastLine {
  uint64_t number_us = 0;  // v2: since the start; v3: since the event before
  std::string code;
  std::string data;
};

Result<AsciicastLine> parse_event_line(std::string_view line);

// Seconds to microseconds, rounded; Errc::protocol below zero, above ten years or not a number.
Result<uint64_t> seconds_to_us(double seconds);

}  // namespace sallyport
