// SPDX-License-Identifier: Apache-2.0
//
// The node log as stored keeps it (docs/formats/log.md). The loop's thread appends, which is one
// write(2). A thread of its own does what may take long, once a second while there is something to
// do: tiles, syncfs(2) for recordings, facts and log, keyd's signature, the checkpoint. In this
// order, so that a checkpoint never covers what the disk does not have.
#pragma once

#include "bastion/stored/checkpoint_signer.h"
#include "shared/base/unique_fd.h"
#include "shared/evidence/tile_log.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace sallyport::stored {

class NodeLog {
public:
  // What was appended and is not signed after this time stops new recordings.
  static constexpr std::chrono::seconds kMaxUnsigned{30};

  struct Places {
    std::string folder;   // of the log
    std::string to_sync;  // a folder on the disk of the recordings
    std::string keyd_socket;
  };
  enum class Signing { at_once, held };
  // Waits for keyd, which says what was signed last. `keep` as TileLog::open has it.
  static Result<std::unique_ptr<NodeLog>> open(const Places& places, const TileLog::KeepEntry& keep,
                                               Signing signing = Signing::at_once);
  ~NodeLog();
  NodeLog(const NodeLog&) = delete;
  NodeLog& operator=(const NodeLog&) = delete;

  // All or none; they stand in the tree when this returns. Errors say why nothing can be begun now.
  Status append(const std::vector<LogEntry>& entries);
  // What has happened already and must get into the log: waits there for room on the disk.
  void append_surely(const LogEntry& entry);

  // While recordings are written the disk is synced once a second.
  void set_recording(bool is_recording);

  // Witnesses (witness_desk.h): held, it signs nothing before release(); refused, nothing any more,
  // and append() says why.
  void release();
  void refuse(const std::string& why);
  const NoteVerifier& verifier() const { return verifier_; }
  std::string note() const;  // the last that was signed; empty: none
  // An eventfd, readable after each new checkpoint.
  int signed_event() const { return signed_event_.get(); }
  // Signs what there is. The last thing that is asked of it.
  void stop();

  uint64_t size() const;
  // So many entries are signed, and on the disk with all that they speak of.
  uint64_t signed_size() const { return signed_size_; }
  const std::string& folder() const { return places_.folder; }

private:
  using Clock = std::chrono::steady_clock;
  NodeLog(Places places, TileLog log, SignedLog state, Signing signing);
  void run();
  void work();
  void retry_waiting();
  Status publish();
  Status sign_and_keep();
  bool may_sign() const;
  void sync_or_stop();

  const Places places_;
  CheckpointSigner signer_;
  UniqueFd sync_folder_;
  UniqueFd log_folder_;
  const NoteVerifier verifier_;
  UniqueFd signed_event_;

  mutable std::mutex mutex_;  // of all below, up to the thread
  TileLog log_;
  std::vector<LogEntry> waiting_;  // for room
  bool waits_for_room_ = false;    // and our log says so
  std::optional<Clock::time_point> unsigned_since_;
  std::string why_unsigned_;
  bool recording_ = false;
  bool unsynced_ = false;
  bool stopping_ = false;
  bool held_ = false;
  std::string refused_;  // why
  std::string note_;     // written by the thread alone
  std::condition_variable changed_;

  std::atomic<uint64_t> signed_size_ = 0;  // written by the thread alone

  // The thread's own.
  TileFiles unwritten_;  // of the tree that is signed next, with what failed before
  std::thread thread_;
};

}  // namespace sallyport::stored
