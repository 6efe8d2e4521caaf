// SPDX-License-Identifier: Apache-2.0
//
// The log as its owner sees it: entries are appended, and become tiles. What was appended lies in
// pending-<bundle> when append() returns; tiles are written later, beside the owner's thread, from
// files() (write_tile_files). So a crash loses no entry that append() has taken, and a power loss
// those since the last sync, which no checkpoint covers yet.
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/evidence/checkpoint.h"
#include "shared/evidence/log_entry.h"
#include "shared/evidence/merkle.h"
#include "shared/evidence/tiles.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

// The files that a tree of `size` needs and that were not handed out before. Who cannot write them
// keeps them, and writes them with the next.
struct TileFiles {
  uint64_t size = 0;
  Sha256Digest root{};
  std::vector<std::pair<std::string, std::string>> files;  // path below the folder, bytes
  std::vector<std::string> obsolete;  // may go once a checkpoint of this size is on disk
};

class TileLog {
public:
  // Begins the log where the folder is empty. `last`: the last checkpoint that was signed; entries
  // that it covers must be there. What is torn behind them is cut off, with a line in the log.
  // Errc::corrupt: entries that were signed are missing, or others.
  // `keep` is asked about the entries behind those, with the size that was signed: after a power
  // loss some may not hold.
  using KeepEntry = std::function<Result<bool>(const LogEntry& entry, uint64_t signed_size)>;
  static Result<TileLog> open(const std::string& folder, const std::optional<Checkpoint>& last,
                              const KeepEntry& keep = {});

  // All of them or none. Errc::invalid: one is no entry, for example by its reason. Errc::io: they
  // could not be written; the log is as it was, unless
  // broken() says that even that could not be had.
  Status append(const std::vector<LogEntry>& entries);
  bool broken() const { return broken_; }

  uint64_t size() const { return size_; }
  Sha256Digest root() const;

  TileFiles files();

private:
  explicit TileLog(std::string folder) : folder_(std::move(folder)) {}

  struct Part {  // of what is appended, for one bundle
    uint64_t bundle;
    std::string bytes;
  };
  std::string pending_path(uint64_t bundle) const;
  Status is_from_the_beginning() const;
  Status check_signed(const Checkpoint& last) const;
  void leave_old_pending(uint64_t bundle);
  Status read_edges(const Checkpoint& last);
  Status read_pending(const std::optional<Checkpoint>& last, const KeepEntry& keep);
  Result<std::vector<std::string>> pending_entries(uint64_t bundle,
                                                   const std::optional<Checkpoint>& last);
  Status rewrite_pending(uint64_t first);
  const std::string& finished_bundle(uint64_t bundle) const;
  Result<std::string> read_bundle_file(uint64_t bundle, const std::optional<Checkpoint>& last);
  Status open_pending(uint64_t bundle, int flags = 0);
  Status write_part(const Part& part);
  void take_back();
  void take(std::string_view entry);
  void finish_tile(size_t level);

  std::string folder_;
  uint64_t size_ = 0;
  std::vector<std::vector<Sha256Digest>> levels_;  // of each level's last tile, not full
  std::string bundle_;                             // the last one's bytes, not full
  UniqueFd pending_;                               // of the last bundle
  uint64_t pending_bundle_ = 0;
  TileFiles finished_;
  std::vector<uint64_t> handed_out_;  // by files(): how many hashes of each level
  bool broken_ = false;
};

// On any thread. Each file appears whole, under its name.
Status write_tile_files(const std::string& folder, const TileFiles& files);
void remove_obsolete(const std::string& folder, const TileFiles& files);

}  // namespace sallyport
