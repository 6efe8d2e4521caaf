// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/legal_holds.h"
#include "bastion/stored/recordings_folder.h"
#include "bastion/stored/recovery.h"
#include "shared/config/config.h"
#include "shared/evidence/log_entry.h"

#include <optional>
#include <string>
#include <utility>

namespace sallyport::stored {

// The entries at the end of the log that no checkpoint covers yet, when stored starts. After a
// power loss the disk may have one, and not what it speaks of; and who had the disk may have added
// some. So each is kept only where stored would enter it today.
class UnsignedEntries {
public:
  struct Beside {
    const RecordingsFolder& folder;
    std::string log_folder;
    const LegalHolds& holds;
    std::string node;
    ErasureConfig erasure;
  };
  explicit UnsignedEntries(Beside beside) : beside_(std::move(beside)) {}

  // Asked about each, in their order. `signed_size`: of the log that is signed. An error: that
  // cannot be known now.
  Result<bool> may_stay(const LogEntry& entry, uint64_t signed_size);

private:
  Result<bool> judge(const LogEntry& entry) const;
  Result<bool> may_erase(const LogEntry& entry) const;

  Beside beside_;
  std::optional<LoggedRecordings> logged_;  // by what is signed, and by those that stay
  bool start_stayed_ = false;               // the one before: its facts follow
};

}  // namespace sallyport::stored
