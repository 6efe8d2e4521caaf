// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/when.h"

#include "shared/base/printable.h"

#include <charconv>
#include <ctime>
#include <optional>

namespace sallyport {

namespace {

std::optional<uint64_t> before(const std::string& text, uint64_t now_ms) {
  uint64_t count = 0;
  const char* end = text.data() + text.size() - 1;  // the unit
  const auto [stop, wrong] = std::from_chars(text.data(), end, count);
  const uint64_t unit_ms = *end == 'm'   ? 60'000
                           : *end == 'h' ? 3'600'000
                           : *end == 'd' ? 86'400'000
                                         : 0;
  if (wrong != std::errc() || stop != end || unit_ms == 0 || count > now_ms / unit_ms) {
    return std::nullopt;
  }
  return now_ms - count * unit_ms;
}

std::optional<uint64_t> at(std::string text) {
  if (text.ends_with('Z')) {
    text.pop_back();
  }
  for (const char* form : {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"}) {
    std::tm time{};
    const char* end = ::strptime(text.c_str(), form, &time);
    if (end == nullptr || *end != '\0') {
      continue;
    }
    const int day = time.tm_mday;
    const std::time_t seconds = ::timegm(&time);  // takes the 31st of February for a day in March
    return seconds < 0 || time.tm_mday != day
               ? std::nullopt
               : std::optional(static_cast<uint64_t>(seconds) * 1000);
  }
  return std::nullopt;
}

}  // namespace

Result<uint64_t> parse_when(const std::string& text, uint64_t now_ms) {
  auto moment = text.empty() ? std::nullopt : before(text, now_ms);
  if (!moment) {
    moment = at(text);
  }
  return moment ? Result(*moment)
                : Error{Errc::invalid, "\"" + printable(text) +
                                           "\" is no time; write 2026-11-21, 2026-11-21T12:00 "
                                           "(UTC), or how long ago: 90m, 12h, 7d"};
}

}  // namespace sallyport
