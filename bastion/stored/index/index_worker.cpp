// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index/index_worker.h"

#include "shared/base/log.h"

#include <algorithm>
#include <iterator>

namespace sallyport::stored {

namespace {

constexpr size_t kOtherJobs = 8;  // a flush and a rebuild or two are never refused for finds

bool is_damage(const Error& error) {
  return error.code == Errc::corrupt || error.code == Errc::internal;
}

}  // namespace

IndexWorker::IndexWorker(EventLoop& loop, std::string path)
    : IndexWorker(loop, std::move(path), Limits{}) {}

IndexWorker::IndexWorker(EventLoop& loop, std::string path, Limits limits)
    : loop_(loop), path_(std::move(path)), limits_(limits) {
  workers_.emplace(loop, 1, limits.finds + kOtherJobs);
  schedule_flush();  // opens the file
}

IndexWorker::~IndexWorker() {
  if (retry_) {
    loop_.cancel(*retry_);
  }
  workers_.reset();
  if (const Status written = write_batch(); !written) {
    log_error("the index of recordings lacks the last ones", {{"why", written.error().message}});
  }
}

void IndexWorker::put(IndexChange change) {
  {
    const std::lock_guard lock(mutex_);
    if (rebuilds_ > 0 && since_rebuild_began_.size() <= limits_.changes) {
      since_rebuild_began_.push_back(change);
    }
    if (pending_.size() + batch_size_ >= limits_.changes) {
      return lack_rows("too many changes wait to be written");
    }
    pending_.push_back(std::move(change));
  }
  schedule_flush();
}

void IndexWorker::schedule_flush() {
  if (!flush_is_due_ && !retry_) {
    flush_is_due_ = workers_->submit([this] { return flush(); });
  }
}

void IndexWorker::retry_later() {
  if (!retry_) {
    retry_ = loop_.call_after(limits_.retry, [this] {
      retry_.reset();
      schedule_flush();
    });
  }
}

Workers::Completion IndexWorker::flush() {
  const Status written = write_batch();
  return [this, written] {
    flush_is_due_ = false;
    if (!written) {
      return retry_later();
    }
    bool is_more = false;
    {
      const std::lock_guard lock(mutex_);
      is_more = !pending_.empty();
    }
    if (is_more) {
      schedule_flush();
    }
  };
}

void IndexWorker::take_pending() {
  std::deque<IndexChange> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(pending_);
    batch_size_ += taken.size();
  }
  std::move(taken.begin(), taken.end(), std::back_inserter(batch_));
}

void IndexWorker::forget_batch() {
  batch_.clear();
  if (unwritten_.exchange(false)) {
    log_info("the index of recordings is written again");
  }
  const std::lock_guard lock(mutex_);
  batch_size_ = 0;
}

Status IndexWorker::write_batch() {
  take_pending();
  Status written = open();
  if (written && !batch_.empty()) {
    const auto without_row = checked(index_->write(batch_));
    written = without_row ? ok() : Status(without_row.error());
    if (without_row && *without_row > 0) {
      lack_rows("a change to a recording that it does not have");
    }
  }
  if (!written || !batch_.empty()) {
    remember(written);
  }
  if (written) {
    forget_batch();
  } else if (!unwritten_.exchange(true)) {
    log_error("the index of recordings cannot be written; sessions go on without it",
              {{"why", written.error().message}});
  }
  return written;
}

Status IndexWorker::find(RecordingsFind wanted, Found found) {
  if (finds_waiting_ >= limits_.finds) {
    return Error{Errc::limit, "too many searches of the index are waiting; try again"};
  }
  const bool submitted =
      workers_->submit([this, wanted = std::move(wanted), found = std::move(found)] {
        return answer(wanted, found);
      });
  if (!submitted) {
    return Error{Errc::limit, "the index is busy; try again"};
  }
  ++finds_waiting_;
  return ok();
}

Workers::Completion IndexWorker::answer(const RecordingsFind& wanted, const Found& found) {
  // What was put since the last flush began waits for its end to be heard; an answer must not.
  static_cast<void>(write_batch());
  const Status opened = open();
  auto rows =
      opened ? checked(index_->find(wanted)) : Result<std::vector<RecordingEntry>>(opened.error());
  return [this, found, rows = std::move(rows)]() mutable {
    --finds_waiting_;
    found(std::move(rows));
  };
}

void IndexWorker::begin_rebuild() {
  const std::lock_guard lock(mutex_);
  ++rebuilds_;
}

void IndexWorker::give_up_rebuild() {
  const std::lock_guard lock(mutex_);
  end_rebuild();
}

// With the lock held. What was put since the first one began is kept for the last: said twice it
// changes nothing.
void IndexWorker::end_rebuild() {
  if (rebuilds_ > 0 && --rebuilds_ == 0) {
    since_rebuild_began_.clear();
  }
}

void IndexWorker::finish_rebuild(std::vector<RecordingEntry> rows, Rebuilt rebuilt) {
  const bool submitted =
      workers_->submit([this, rows = std::move(rows), rebuilt] { return rebuild(rows, rebuilt); });
  if (!submitted) {
    give_up_rebuild();
    loop_.call_after(std::chrono::milliseconds(0), [rebuilt] {
      rebuilt(Error{Errc::limit, "the index is busy; try again"});
    });
  }
}

// Everything that was put until here either came before begin_rebuild(), so that files and log had
// it, or is in since_rebuild_began_: nothing else has to be written after the rows.
Workers::Completion IndexWorker::rebuild(const std::vector<RecordingEntry>& rows,
                                         const Rebuilt& rebuilt) {
  Status done = open();
  take_pending();
  std::vector<IndexChange> changes;
  {
    const std::lock_guard lock(mutex_);
    changes = since_rebuild_began_;
    end_rebuild();
    lacks_rows_ = false;  // what cannot be kept from here on is lacking again
  }
  const bool is_complete = changes.size() <= limits_.changes;
  if (done) {
    done = checked(index_->replace_all(rows, changes));
  }
  if (done) {
    forget_batch();
  }
  if (done && !is_complete) {
    done = Error{Errc::limit, "too much happened while the index was rebuilt; try again"};
  }
  remember(done);
  if (!done) {
    lack_rows(done.error().message);
  }
  return [this, rebuilt, done] {
    if (!done) {
      retry_later();
    }
    rebuilt(done);
  };
}

Status IndexWorker::open() {
  if (index_) {
    return ok();
  }
  auto opened = Index::open(path_);
  if (!opened) {
    return opened.error();
  }
  index_.emplace(std::move(*opened));
  if (index_->is_new()) {
    lack_rows("it is new");
  }
  return ok();
}

// A file that turns out to be damaged is set aside, and the next call begins another.
template <class T>
Result<T> IndexWorker::checked(Result<T> result) {
  if (!result && is_damage(result.error())) {
    index_.reset();
    lack_rows("it is damaged");
    if (const Status moved = set_index_aside(path_, result.error().message); !moved) {
      log_error("the damaged index cannot be set aside", {{"why", moved.error().message}});
    }
  }
  return result;
}

std::string IndexWorker::lacks() const {
  if (!needs_reindex()) {
    return "";
  }
  const std::lock_guard lock(mutex_);
  return write_error_.empty()
             ? "the index lacks recordings; build it anew with: sallyportctl reindex"
             : "the index lacks recordings, as it could not be written: " + write_error_ +
                   "; when it can be again it is made whole within a minute";
}

void IndexWorker::remember(const Status& written) {
  const std::lock_guard lock(mutex_);
  write_error_ = written ? "" : written.error().message;
}

void IndexWorker::lack_rows(std::string_view why) {
  if (!lacks_rows_.exchange(true)) {
    log_warning("the index of recordings lacks some until it is rebuilt",
                {{"why", std::string(why)}});
  }
}

}  // namespace sallyport::stored
