// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/id.h"
#include "shared/base/recording_part.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct RecordingName {
  Id session;
  uint32_t channel = 0;
  RecordingPart part = RecordingPart::channel;
  auto operator<=>(const RecordingName&) const = default;
};

// "<session, 32 lower-case hex digits>-<channel, decimal>.brec", with a "k" after the channel where
// it is of keystrokes: one name for one recording, and one recording for one name (no leading
// zeros, no capitals).
std::string recording_file_name(const RecordingName& recording);
std::optional<RecordingName> parse_recording_file_name(std::string_view file_name);

// The same without ".brec": what log, index and people call a recording.
std::string recording_id(const RecordingName& recording);
std::optional<RecordingName> parse_recording_id(std::string_view id);

}  // namespace sallyport
