// SPDX-License-Identifier: Apache-2.0
#include "player/feeding.h"

#include "shared/asciicast/event.h"
#include "shared/terminal/cell.h"

#include <algorithm>
#include <charconv>

namespace sallyport {

std::optional<TerminalSize> parse_size(std::string_view text) {
  uint64_t columns = 0;
  uint64_t rows = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, columns);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != 'x') {
    return std::nullopt;
  }
  const auto second = std::from_chars(first.ptr + 1, end, rows);
  if (second.ec != std::errc{} || second.ptr != end) {
    return std::nullopt;
  }
  return TerminalSize{
      std::clamp(static_cast<int>(asciicast_size(columns, kAsciicastUsualCols)), kMinColumns,
                 kMaxColumns),
      std::clamp(static_cast<int>(asciicast_size(rows, kAsciicastUsualRows)), kMinRows, kMaxRows)};
}

void ReturnAdder::append(std::string& out, std::string_view data) {
  for (const char c : data) {
    if (c == '\n' && !after_return) {
      out += '\r';
    }
    out += c;
    after_return = c == '\r';
  }
}

}  // namespace sallyport
