// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/recordings_folder.h"
#include "shared/base/result.h"
#include "shared/evidence/log_entry.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sallyport::stored {

// Which recordings the log knows, which of them it knows no end of, and by which order they were
// erased.
struct LoggedRecordings {
  std::map<RecordingName, bool> ended;
  std::map<RecordingName, Sha256Digest> erased;
  void take(const LogEntry& entry);  // the next
};

// The entries of a log's first `size`, from tiles and pending files; proves nothing.
Status for_each_entry(const std::string& log_folder, uint64_t size,
                      const std::function<void(const LogEntry&)>& use);
Result<LoggedRecordings> logged_recordings(const std::string& log_folder, uint64_t size);

// Why this file of the folder is not a recording that the log knows; empty when it is one. An
// error: it cannot be read now, and so is not judged.
Result<std::string> why_foreign(const RecordingsFolder& folder, const std::string& file_name,
                                const LoggedRecordings& logged);

// Each of these names that is foreign is set aside, with a line in the log. How many were.
size_t set_aside_foreign(RecordingsFolder& folder, const std::vector<std::string>& file_names,
                         const LoggedRecordings& logged);

}  // namespace sallyport::stored
