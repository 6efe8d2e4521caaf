// SPDX-License-Identifier: Apache-2.0
//
// How a recording of this process begins: its header, and the first line with what is known.
#pragma once

#include "shared/base/result.h"
#include "shared/ipc/messages.h"
#include "shared/recording/writer.h"

#include <optional>
#include <string>

namespace sallyport::monitor {

// What every recording of a session says in its header.
struct RecordedSession {
  Id session;
  std::string node;
  std::string address;
  Grant grant;
};

struct RecordedChannel {
  ChannelStart start;
  std::optional<ChannelPty> pty;
  std::optional<ForwardOpen> forward;
};

struct RecordingEnd {
  uint64_t frames;
  std::string chain_head;  // 32 bytes
};
RecordingEnd end_of(const RecordingWriter& writer);

// Its header, for the recipients of that part; stored enters that into the node log and writes it
// into the file.
Result<NewRecording> prepare_recording(const RecordedSession& of, uint32_t channel,
                                       RecordingPart part);
// `file` has the header already.
Result<RecordingWriter> begin_recording(UniqueFd file, NewRecording recording,
                                        const RecordedSession& of, const RecordedChannel& channel,
                                        RecordingPart part);

}  // namespace sallyport::monitor
