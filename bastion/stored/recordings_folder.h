// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/id.h"
#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace sallyport::stored {

// The folder of recordings. Names are made of identifiers only (R14), files are new and
// append-only. What was written reaches the disk within a second: a thread calls syncfs(2), so that
// a slow disk delays no answer.
class RecordingsFolder {
public:
  static Result<RecordingsFolder> open(const std::string& path);  // makes it, mode 0750

  // O_APPEND, O_EXCL, mode 0640.
  Result<UniqueFd> create(const Id& session, uint32_t channel);
  int fd() const { return folder_.get(); }

private:
  RecordingsFolder(UniqueFd folder, std::string path)
      : folder_(std::move(folder)), path_(std::move(path)) {}

  UniqueFd folder_;
  std::string path_;
};

// Calls syncfs once a second while recordings are open, and once after that. An error is final for
// what is being written, and is logged.
class Syncer {
public:
  explicit Syncer(int folder);
  ~Syncer();
  Syncer(const Syncer&) = delete;
  Syncer& operator=(const Syncer&) = delete;
  void set_open(size_t recordings);

private:
  void run();

  int folder_;
  std::mutex mutex_;  // of the three below
  size_t open_ = 0;
  bool unsynced_ = false;  // one has been opened or closed since the last sync began
  bool stopping_ = false;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace sallyport::stored
