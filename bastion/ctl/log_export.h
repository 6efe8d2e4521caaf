// SPDX-License-Identifier: Apache-2.0
//
// A copy of the node log for others: the files that the tree of its latest checkpoint needs, as
// C2SP tlog-tiles lays them out, and no more. Each appears whole, and the checkpoint last, so that
// whoever reads the copy sees a log at any time.
#pragma once

#include "shared/base/result.h"
#include "shared/evidence/checkpoint.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct LogExportRequest {
  std::string log;                  // the node log's folder
  std::string kept_out;             // a folder in which no copy is made: the bastion's state
  std::optional<NoteVerifier> key;  // whose the checkpoint must be, where it is known
  std::string to;                   // made where it is missing; may have an older copy
};

struct ExportedLog {
  uint64_t size_before = 0;           // entries that the copy had
  uint64_t size = 0;                  // and has now
  std::vector<std::string> left_out;  // cosigned checkpoints that are none
};

// Refuses a log whose tiles do not make its checkpoint or, in what is new, are not those of its
// entries; and an older copy that this log does not continue. The copy's checkpoint is then as it
// was.
Result<ExportedLog> export_log(const LogExportRequest& request);

}  // namespace sallyport
