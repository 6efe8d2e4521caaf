// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/unsigned_entries.h"

#include "bastion/stored/order_check.h"
#include "bastion/stored/unfinished.h"
#include "shared/base/log.h"
#include "shared/evidence/log_reader.h"

#include <algorithm>

namespace sallyport::stored {

Result<bool> UnsignedEntries::may_stay(const LogEntry& entry, uint64_t signed_size) {
  if (!logged_) {
    auto logged = logged_recordings(beside_.log_folder, signed_size);
    if (!logged) {  // damage to what is signed is no reason to stand still
      log_error(
          "the log's older entries cannot be read; what was not signed yet and speaks of them "
          "is left out",
          {{"why", logged.error().message}});
    }
    logged_ = logged ? std::move(*logged) : LoggedRecordings{};
  }
  const auto stays = judge(entry);
  start_stayed_ = stays && *stays && entry.kind == LogEntry::Kind::start;
  if (stays && *stays) {
    logged_->take(entry);
  }
  return stays;
}

Result<bool> UnsignedEntries::judge(const LogEntry& entry) const {
  const std::string path = beside_.folder.path_of(entry.recording);
  const auto known = logged_->ended.find(entry.recording);
  const bool runs = known != logged_->ended.end() && !known->second;
  switch (entry.kind) {
    case LogEntry::Kind::start:
      return known == logged_->ended.end() ? has_begun(path, entry.recording, entry.hash)
                                           : Result(false);
    case LogEntry::Kind::end:
      return runs ? is_complete(path, {entry.recording, entry.count, entry.hash}) : Result(false);
    case LogEntry::Kind::heads:
      return false;  // the recordings will be asked again, or have ended
    case LogEntry::Kind::audit:
      return start_stayed_;
    case LogEntry::Kind::erase:
      return known != logged_->ended.end() && !runs ? may_erase(entry) : Result(false);
  }
  return false;
}

// An order is on disk before its entry is signed, and carried out after that.
Result<bool> UnsignedEntries::may_erase(const LogEntry& entry) const {
  const auto bytes = read_hashed_file(beside_.log_folder, "orders", entry.hash);
  if (!bytes) {
    const bool is_gone =
        bytes.error().code == Errc::not_found || bytes.error().code == Errc::corrupt;
    return is_gone ? Result(false) : Result<bool>(bytes.error());
  }
  const auto order = check_order(*bytes, beside_.node, beside_.erasure);
  return order && !beside_.holds.is_held(entry.recording) &&
         std::binary_search(order->recordings.begin(), order->recordings.end(), entry.recording);
}

}  // namespace sallyport::stored
