// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/recording/file_name.h"

#include <optional>
#include <string>

namespace sallyport {

inline constexpr size_t kMinSessionDigits = 6;  // fewer name nobody

// Recordings as people name them: "b597f2" a session's, all of them; "b597f2k" what was typed in
// it; "b597f2-0", "b597f2-0k" one.
struct WantedRecordings {
  std::string digits;  // how the session's id begins
  std::optional<RecordingPart> part;
  std::optional<uint32_t> channel;

  bool has(const RecordingName& recording) const;
  std::optional<RecordingName> only() const;  // where that is one and no other
};

// Errc::invalid, with what to do: no such name, or too short to name anybody.
Result<WantedRecordings> parse_wanted_recordings(const std::string& text);

}  // namespace sallyport
