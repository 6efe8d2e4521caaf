// SPDX-License-Identifier: Apache-2.0
//
// What is typed on a channel with a terminal, where a role wants that: a recording beside the
// channel's own, for recipients of its own. What was not echoed is not in it (echo_matcher.h); a
// marker is. As echoes come after the keys, this is written after the keys were passed on.
#pragma once

#include "bastion/monitor/echo_matcher.h"
#include "bastion/monitor/recording_start.h"

#include <chrono>
#include <string_view>

namespace sallyport::monitor {

inline constexpr const char* kNotEchoed = "not echoed";  // the marker

class KeystrokeRecording {
public:
  // `file` has the header already.
  static Result<KeystrokeRecording> begin(UniqueFd file, NewRecording recording,
                                          const RecordedSession& of,
                                          const RecordedChannel& channel);

  Status typed(std::string_view bytes);
  Status printed(std::string_view bytes);
  // What waits for an echo is forgotten when its time has come, also while nothing happens.
  Status pass_time();
  bool waits() const { return matcher_.waits(); }

  Status flush() { return writer_.flush(); }
  RecordingEnd so_far() const { return end_of(writer_); }
  Result<RecordingEnd> finish();

private:
  explicit KeystrokeRecording(RecordingWriter writer) : writer_(std::move(writer)) {}
  uint64_t now_us() const;
  Status write();

  RecordingWriter writer_;
  EchoMatcher matcher_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace sallyport::monitor
