// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/end_entries.h"

#include "bastion/stored/unfinished.h"
#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/base/unix_ms.h"

namespace sallyport::stored {

namespace {

constexpr auto kLookAgain = std::chrono::milliseconds(500);

}  // namespace

void EndEntries::enter(const RecordingHead& head, const std::string& reason, RecordingState state) {
  log_info("recorded", {{"recording", recording_id(head.recording)},
                        {"frames", std::to_string(head.frames)},
                        {"head", to_hex(head.head)},
                        {"reason", reason}});
  LogEntry entry;
  entry.kind = LogEntry::Kind::end;
  entry.time_ms = unix_ms();
  entry.recording = head.recording;
  entry.count = head.frames;
  entry.hash = head.head;
  entry.reason = reason;
  log_.append_surely(entry);
  index_.put(IndexEnd{recording_id(head.recording), state, entry.time_ms,
                      folder_.bytes_of(head.recording), head.frames, reason,
                      std::string(as_text(head.head))});
}

void EndEntries::look_and_enter(const RecordingName& name, const std::string& reason) {
  const bool taken = workers_.submit([this, name, reason, path = folder_.path_of(name)] {
    const auto left = look_at_unfinished(path, name);
    return [this, name, reason, left] {
      if (left && *left) {
        enter((*left)->head, reason,
              (*left)->has_end ? RecordingState::ended : RecordingState::cut_off);
      } else if (left || left.error().code == Errc::io) {
        look_again(name, reason);  // somebody still writes it, or it cannot be read now
      } else {
        log_error("a recording has no end in the log",
                  {{"recording", recording_id(name)}, {"why", left.error().message}});
      }
    };
  });
  if (!taken) {
    look_again(name, reason);
  }
}

void EndEntries::look_again(const RecordingName& name, const std::string& reason) {
  loop_.call_after(kLookAgain, [this, name, reason] { look_and_enter(name, reason); });
}

}  // namespace sallyport::stored
