// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/id.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct RecordingName {
  Id session;
  uint32_t channel = 0;
  auto operator<=>(const RecordingName&) const = default;
};

// "<session, 32 lower-case hex digits>-<channel, decimal>.brec": one name for one channel, and one
// channel for one name (no leading zeros, no capitals).
std::string recording_file_name(const Id& session, uint32_t channel);
std::optional<RecordingName> parse_recording_file_name(std::string_view file_name);

}  // namespace sallyport
