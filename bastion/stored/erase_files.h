// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/facts/facts_folder.h"
#include "bastion/stored/recordings_folder.h"
#include "bastion/stored/recovery.h"
#include "shared/evidence/erasure_order.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::stored {

// One recording's key, or the whole file, and what stands beside it: who it was, and the header
// that an interrupted `sallyport-play rewrap` has kept. What is gone already is no error; may be
// called again. Waits for the disk.
Status erase_files(const RecordingsFolder& folder, const FactsFolder& facts,
                   const RecordingName& name, ErasureOrder::What what);

// What the orders of a log are about, each read once. One that cannot be read has erased the key at
// least.
class OrdersOfLog {
public:
  explicit OrdersOfLog(std::string log_folder) : log_folder_(std::move(log_folder)) {}
  ErasureOrder::What what(const Sha256Digest& hash);

private:
  std::string log_folder_;
  std::map<Sha256Digest, ErasureOrder::What> known_;
};

// Does it to all that the log says is erased; gives back which still had something. Errors go to
// our log, and are tried again the next time.
std::vector<RecordingName> finish_erasures(const RecordingsFolder& folder, const FactsFolder& facts,
                                           const std::string& log_folder,
                                           const LoggedRecordings& logged);

}  // namespace sallyport::stored
