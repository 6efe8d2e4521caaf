// SPDX-License-Identifier: Apache-2.0
//
// The index of recordings: SQLite, one row per recording, to find them by who, where and when. It
// holds nothing that is said elsewhere only, and nothing out of a recording.
#pragma once

#include "bastion/stored/index/index_file.h"
#include "shared/base/result.h"
#include "shared/ipc/daemon_messages.h"

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace sallyport::stored {

// What may be said of a recording that has a row. The last word stands: saying the same again
// changes nothing.
struct IndexEnd {
  std::string recording;
  RecordingState state = RecordingState::ended;
  uint64_t end_ms = 0;
  uint64_t bytes = 0;
  uint64_t frames = 0;
  std::string reason;
  std::string chain_head;
};
// Takes out of the row what says who it was: person, agent, issuer, subject, login, address and
// fingerprint.
struct IndexErasure {
  std::string recording;
  uint64_t bytes = 0;  // that are left of the file
};
struct IndexHold {
  std::string recording;
  bool hold = false;
};
// An entry is a new row, in place of one that is there.
using IndexChange = std::variant<RecordingEntry, IndexEnd, IndexErasure, IndexHold>;

// One thread at a time. Every call waits for the disk. Errc::corrupt or Errc::internal of any: the
// file is damaged; close this, set it aside and open anew.
class Index {
public:
  static Result<Index> open(const std::string& path);  // as open_index_file()

  bool is_new() const { return file_.is_new; }
  // All of them or none, in their order. How many had no row to change: the file lacks some.
  Result<size_t> write(std::span<const IndexChange> changes);
  // These rows and no others, then the changes; all or nothing.
  Status replace_all(std::span<const RecordingEntry> rows, std::span<const IndexChange> changes);
  // Newest first; at most wanted.limit, and kMaxFound in any case.
  Result<std::vector<RecordingEntry>> find(const RecordingsFind& wanted) const;

private:
  explicit Index(IndexFile file) : file_(std::move(file)) {}
  sqlite3* database() const { return file_.database.get(); }

  IndexFile file_;
};

}  // namespace sallyport::stored
