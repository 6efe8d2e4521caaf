// SPDX-License-Identifier: Apache-2.0
//
// The index beside a loop that must not wait for a disk: a thread has the file, and the loop hands
// over what it has to say and hears the answers. Fails open (R17): whatever happens to the index,
// recordings go on, and it is known that the index lacks some.
#pragma once

#include "bastion/stored/index/index.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/workers.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::stored {

// Made, called and destroyed by the loop's thread; callbacks run there, never inside the call that
// asked for them. The destructor writes what is still to be written, and drops the callbacks.
class IndexWorker {
public:
  using Found = std::function<void(Result<std::vector<RecordingEntry>>)>;
  using Rebuilt = std::function<void(const Status&)>;

  struct Limits {
    size_t changes = 64 * 1024;  // not written yet; more are dropped, and needs_reindex() says so
    size_t finds = 64;           // waiting; more are refused
    std::chrono::milliseconds retry{2000};  // after a write that failed
  };

  IndexWorker(EventLoop& loop, std::string path);
  IndexWorker(EventLoop& loop, std::string path, Limits limits);
  ~IndexWorker();
  IndexWorker(const IndexWorker&) = delete;
  IndexWorker& operator=(const IndexWorker&) = delete;

  // Changes are written in their order, many in one transaction. One that the disk does not take is
  // kept and tried again.
  void put(IndexChange change);

  // Sees every change that was put before. An error at once: too many are waiting.
  Status find(RecordingsFind wanted, Found found);

  // Rebuilding, so that nothing gets lost that happens meanwhile: begin, then look at files and
  // log, then hand over all rows. What was put since begin_rebuild() is applied once more after
  // them; a recording that is being written needs a row that says so. Searches wait while rows are
  // written: 4 s for 100,000.
  // Two may overlap (an operator's and the one that comes by itself). Each that begins is finished
  // or given up.
  void begin_rebuild();
  void give_up_rebuild();
  void finish_rebuild(std::vector<RecordingEntry> rows, Rebuilt rebuilt);

  // The index lacks something: the file was begun anew, or changes could not be written (those that
  // are kept still may be). Until a rebuild succeeds, or all that is kept was written. The file is
  // opened by the thread: after the first answer of find() this is known of it, too.
  bool needs_reindex() const { return lacks_rows_ || unwritten_; }
  // The same in words, with what to do; "" where nothing is lacking.
  std::string lacks() const;

private:
  void schedule_flush();
  void retry_later();
  Workers::Completion flush();
  Status write_batch();
  Workers::Completion answer(const RecordingsFind& wanted, const Found& found);
  Workers::Completion rebuild(const std::vector<RecordingEntry>& rows, const Rebuilt& rebuilt);
  Status open();
  void take_pending();
  void end_rebuild();
  void forget_batch();
  template <class T>
  Result<T> checked(Result<T> result);
  void lack_rows(std::string_view why);
  void remember(const Status& written);

  EventLoop& loop_;
  const std::string path_;
  const Limits limits_;

  // Of the loop's thread.
  bool flush_is_due_ = false;
  std::optional<EventLoop::TimerId> retry_;
  size_t finds_waiting_ = 0;

  std::atomic<bool> lacks_rows_ = false;
  std::atomic<bool> unwritten_ = false;  // the last write failed; what it was is in batch_

  mutable std::mutex mutex_;  // of the five below
  std::deque<IndexChange> pending_;
  size_t batch_size_ = 0;
  size_t rebuilds_ = 0;
  std::vector<IndexChange> since_rebuild_began_;  // the first of them
  std::string write_error_;                       // of the last write or rebuild

  // Of the worker's thread.
  std::optional<Index> index_;
  std::vector<IndexChange> batch_;  // what is being written

  std::optional<Workers> workers_;  // the last: its thread uses all of the above
};

}  // namespace sallyport::stored
