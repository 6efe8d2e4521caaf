// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/facts/facts_folder.h"
#include "bastion/stored/legal_holds.h"
#include "bastion/stored/recordings_folder.h"
#include "shared/ipc/daemon_messages.h"

#include <set>
#include <string>
#include <vector>

namespace sallyport::stored {

// The index's rows as log, facts and files have them: one for each start that the log knows.
// `running` are those that are being written now. Reads every facts file; not for a loop's thread.
Result<std::vector<RecordingEntry>> rows_from_files(const std::string& log_folder,
                                                    uint64_t log_size, const FactsFolder& facts,
                                                    const RecordingsFolder& folder,
                                                    const LegalHolds& holds,
                                                    const std::set<RecordingName>& running);

}  // namespace sallyport::stored
