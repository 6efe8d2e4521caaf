// SPDX-License-Identifier: Apache-2.0
//
// What a monitor says of a recording, read with suspicion.
#pragma once

#include "bastion/stored/facts/facts_folder.h"
#include "shared/evidence/log_entry.h"
#include "shared/ipc/daemon_messages.h"
#include "shared/recording/file_name.h"
#include "shared/recording/header.h"

#include <string>

namespace sallyport::stored {

RecordingFacts facts_of(const LogEntry& start, const OpenRecording& asked, const GrantFacts& grant);

RecordingName recording_of(const OpenRecording& asked);

// Errc::protocol: not of that length.
Result<Sha256Digest> digest_of(const std::string& bytes);

// The header that it wants in front of its recording, as far as it is no secret of its own.
// Errc::protocol: it is none, or another recording's.
Result<RecordingHeader> check_header(const OpenRecording& asked);

}  // namespace sallyport::stored
