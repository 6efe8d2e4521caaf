// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/wanted_recordings.h"

#include "shared/base/printable.h"

#include <charconv>

namespace sallyport {

namespace {

constexpr size_t kIdDigits = 32;

std::optional<uint32_t> whole_number(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                  : std::nullopt;
}

}  // namespace

bool WantedRecordings::has(const RecordingName& recording) const {
  return recording.session.hex().starts_with(digits) && (!part || recording.part == *part) &&
         (!channel || recording.channel == *channel);
}

std::optional<RecordingName> WantedRecordings::only() const {
  const auto session = digits.size() == kIdDigits && channel ? Id::from_hex(digits) : std::nullopt;
  return session ? std::optional(RecordingName{*session, *channel, *part}) : std::nullopt;
}

Result<WantedRecordings> parse_wanted_recordings(const std::string& text) {
  std::string_view left = text;
  WantedRecordings wanted;
  if (left.ends_with('k')) {
    wanted.part = RecordingPart::keystrokes;
    left.remove_suffix(1);
  }
  const size_t dash = left.find('-');
  if (dash != std::string_view::npos) {
    wanted.channel = whole_number(left.substr(dash + 1));
    wanted.part = wanted.part.value_or(RecordingPart::channel);
  }
  for (const char c : left.substr(0, dash)) {
    wanted.digits += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (wanted.digits.find_first_not_of("0123456789abcdef") != std::string::npos ||
      wanted.digits.size() > kIdDigits || (dash != std::string_view::npos && !wanted.channel)) {
    return Error{Errc::invalid, "\"" + printable(text, 80) + "\" is no recording's id"};
  }
  if (wanted.digits.size() < kMinSessionDigits) {
    return Error{Errc::invalid, "\"" + printable(text, 80) + "\" is too short; give at least " +
                                    std::to_string(kMinSessionDigits) +
                                    " digits of the session's id"};
  }
  return wanted;
}

}  // namespace sallyport
