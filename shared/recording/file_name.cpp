// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/file_name.h"

#include <charconv>

namespace sallyport {

namespace {

constexpr std::string_view kSuffix = ".brec";
constexpr size_t kIdDigits = 32;
constexpr const char* kKeystrokes = "k";

}  // namespace

std::string recording_id(const RecordingName& recording) {
  return recording.session.hex() + "-" + std::to_string(recording.channel) +
         (recording.part == RecordingPart::keystrokes ? kKeystrokes : "");
}

std::optional<RecordingName> parse_recording_id(std::string_view id) {
  if (id.size() <= kIdDigits + 1) {
    return std::nullopt;
  }
  const auto session = Id::from_hex(id.substr(0, kIdDigits));
  std::string_view number = id.substr(kIdDigits + 1);
  const bool is_keystrokes = number.ends_with(kKeystrokes);
  number.remove_suffix(is_keystrokes ? 1 : 0);
  uint32_t channel = 0;
  const char* end = number.data() + number.size();
  const auto [stopped, error] = std::from_chars(number.data(), end, channel);
  if (!session || error != std::errc() || stopped != end) {
    return std::nullopt;
  }
  const RecordingName name{*session, channel,
                           is_keystrokes ? RecordingPart::keystrokes : RecordingPart::channel};
  return recording_id(name) == id ? std::optional(name) : std::nullopt;
}

std::string recording_file_name(const RecordingName& recording) {
  return recording_id(recording) + std::string(kSuffix);
}

std::optional<RecordingName> parse_recording_file_name(std::string_view file_name) {
  if (!file_name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  return parse_recording_id(file_name.substr(0, file_name.size() - kSuffix.size()));
}

}  // namespace sallyport
