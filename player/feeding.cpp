// SPDX-License-Identifier: Apache-2.0
#include "player/feeding.h"

#include "shared/terminal/cell.h"

#include <algorithm>
#include <charconv>

namespace sallyport {

std::optional<TerminalSize> parse_size(std::string_view text) {
  TerminalSize size{};
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, size.columns);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != 'x') {
    return std::nullopt;
  }
  const auto second = std::from_chars(first.ptr + 1, end, size.rows);
  if (second.ec != std::errc{} || second.ptr != end) {
    return std::nullopt;
  }
  return TerminalSize{std::clamp(size.columns, kMinColumns, kMaxColumns),
                      std::clamp(size.rows, kMinRows, kMaxRows)};
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
