// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/file_name.h"

#include <charconv>

namespace sallyport {

namespace {

constexpr std::string_view kSuffix = ".brec";
constexpr size_t kIdDigits = 32;

}  // namespace

std::string recording_file_name(const Id& session, uint32_t channel) {
  return session.hex() + "-" + std::to_string(channel) + std::string(kSuffix);
}

std::optional<RecordingName> parse_recording_file_name(std::string_view file_name) {
  if (file_name.size() <= kIdDigits + 1 + kSuffix.size() || !file_name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const auto session = Id::from_hex(file_name.substr(0, kIdDigits));
  const std::string_view number =
      file_name.substr(kIdDigits + 1, file_name.size() - kIdDigits - 1 - kSuffix.size());
  uint32_t channel = 0;
  const char* end = number.data() + number.size();
  const auto [stopped, error] = std::from_chars(number.data(), end, channel);
  if (!session || error != std::errc() || stopped != end ||
      recording_file_name(*session, channel) != file_name) {
    return std::nullopt;
  }
  return RecordingName{*session, channel};
}

}  // namespace sallyport
