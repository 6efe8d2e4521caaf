// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/evidence/log_entry.h"

#include <optional>
#include <string>

namespace sallyport::stored {

struct UnfinishedRecording {
  RecordingHead head;
  bool has_end = false;  // it was finished all the same, and nobody said so
};

// Where a recording stands whose writer has gone without a word: its chain up to the last whole
// frame. None while somebody still has its descriptor. What is wrong in the file ends the chain
// there, with a line in the log. Errc::io: it cannot be read now. Reads the whole file: not for a
// loop's thread.
Result<std::optional<UnfinishedRecording>> look_at_unfinished(const std::string& path,
                                                              const RecordingName& name);

// Whether the file has this chain head after this many frames, and no more. An error: that cannot
// be known now.
Result<bool> is_complete(const std::string& path, const RecordingHead& head);

// Whether the file is this recording, with this H0. An error: that cannot be known now.
Result<bool> has_begun(const std::string& path, const RecordingName& name,
                       const Sha256Digest& first_head);

}  // namespace sallyport::stored
