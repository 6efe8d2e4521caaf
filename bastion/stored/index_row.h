// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/ipc/daemon_messages.h"
#include "shared/recording/facts_file.h"

namespace sallyport::stored {

// The index's row of a recording that has these facts and this many bytes, as it begins.
RecordingEntry index_row(const RecordingFacts& facts, uint64_t bytes);

}  // namespace sallyport::stored
