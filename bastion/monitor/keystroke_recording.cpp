// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/keystroke_recording.h"

namespace sallyport::monitor {

Result<KeystrokeRecording> KeystrokeRecording::begin(UniqueFd file, NewRecording recording,
                                                     const RecordedSession& of,
                                                     const RecordedChannel& channel) {
  auto writer = begin_recording(std::move(file), std::move(recording), of, channel,
                                RecordingPart::keystrokes);
  if (!writer) {
    return writer.error();
  }
  return KeystrokeRecording(std::move(*writer));
}

uint64_t KeystrokeRecording::now_us() const {
  const auto passed = std::chrono::steady_clock::now() - start_;
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
}

Status KeystrokeRecording::typed(std::string_view bytes) {
  matcher_.typed(now_us(), bytes);
  return write();
}

Status KeystrokeRecording::printed(std::string_view bytes) {
  matcher_.printed(now_us(), bytes);
  return write();
}

Status KeystrokeRecording::pass_time() {
  matcher_.pass_time(now_us());
  return write();
}

Status KeystrokeRecording::write() {
  for (const KeyEvent& event : matcher_.take()) {
    const Status added = event.keys.empty() ? writer_.add_event(event.t_us, 'm', kNotEchoed)
                                            : writer_.add_event(event.t_us, 'i', event.keys);
    if (!added) {
      return added;
    }
  }
  return ok();
}

Result<RecordingEnd> KeystrokeRecording::finish() {
  matcher_.finish();
  if (const Status written = write(); !written) {
    return written.error();
  }
  if (const Status finished = writer_.finish(); !finished) {
    return finished.error();
  }
  return so_far();
}

}  // namespace sallyport::monitor
