// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/node_log.h"

#include "shared/base/log.h"
#include "shared/base/whole_file.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sallyport::stored {

namespace {

constexpr auto kInterval = std::chrono::seconds(1);
constexpr auto kKeydTime = std::chrono::seconds(30);

std::string checkpoint_path(const std::string& folder) {
  return folder + "/checkpoint";
}

// keyd may start after us.
Result<SignedLog> ask_patiently(const CheckpointSigner& signer) {
  const auto deadline = std::chrono::steady_clock::now() + kKeydTime;
  for (;;) {
    auto state = signer.state();
    if (state || std::chrono::steady_clock::now() > deadline) {
      return state;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Result<std::string> our_note(const std::string& folder) {
  auto ours = read_file(checkpoint_path(folder), kMaxNoteBytes);
  return ours || ours.error().code != Errc::not_found ? ours : Result(std::string());
}

}  // namespace

Result<std::unique_ptr<NodeLog>> NodeLog::open(const Places& places, const TileLog::KeepEntry& keep,
                                               Signing signing) {
  auto state = ask_patiently(CheckpointSigner(places.keyd_socket));
  if (!state) {
    return Error{Errc::io, "the node log cannot be opened without keyd: " + state.error().message};
  }
  const auto ours = our_note(places.folder);
  if (!ours) {
    return ours.error();
  }
  const auto latest = latest_note(*state, *ours);
  if (!latest) {
    return Error{latest.error().code,
                 checkpoint_path(places.folder) + ": " + latest.error().message +
                     ": it is another bastion's, or keyd has another log.key than before"};
  }
  const auto& [note, checkpoint] = *latest;
  const auto last = note.empty() ? std::nullopt : std::optional(checkpoint);
  auto log = TileLog::open(places.folder, last, keep);
  if (!log) {
    return log.error();
  }
  // keyd has signed it, and we were interrupted before it was kept.
  if (note != *ours) {
    if (Status kept = replace_file(checkpoint_path(places.folder), note); !kept) {
      return kept.error();
    }
  }
  state->note = note;
  std::unique_ptr<NodeLog> opened(new NodeLog(places, std::move(*log), std::move(*state), signing));
  if (!opened->sync_folder_ || !opened->log_folder_ || !opened->signed_event_) {
    return errno_error(places.folder);
  }
  opened->signed_size_ = last ? last->size : 0;
  opened->unsynced_ = opened->log_.size() > opened->signed_size_;
  opened->thread_ = std::thread([log = opened.get()] { log->run(); });
  return opened;
}

NodeLog::NodeLog(Places places, TileLog log, SignedLog state, Signing signing)
    : places_(std::move(places)),
      signer_(places_.keyd_socket),
      sync_folder_(::open(places_.to_sync.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      log_folder_(::open(places_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      verifier_(std::move(state.verifier)),
      signed_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      log_(std::move(log)),
      held_(signing == Signing::held),
      note_(std::move(state.note)) {}

NodeLog::~NodeLog() {
  stop();
}

void NodeLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

uint64_t NodeLog::size() const {
  const std::lock_guard lock(mutex_);
  return log_.size();
}

std::string NodeLog::note() const {
  const std::lock_guard lock(mutex_);
  return note_;
}

void NodeLog::release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  unsynced_ = true;
  changed_.notify_one();
}

void NodeLog::refuse(const std::string& why) {
  const std::lock_guard lock(mutex_);
  refused_ = why;
}

bool NodeLog::may_sign() const {
  const std::lock_guard lock(mutex_);
  return !held_ && refused_.empty();
}

void NodeLog::set_recording(bool is_recording) {
  const std::lock_guard lock(mutex_);
  recording_ = is_recording;
  unsynced_ = true;
  changed_.notify_one();
}

Status NodeLog::append(const std::vector<LogEntry>& entries) {
  const std::lock_guard lock(mutex_);
  if (!refused_.empty()) {
    return Error{Errc::denied, refused_};
  }
  const auto now = Clock::now();
  if (unsigned_since_ && now - *unsigned_since_ > kMaxUnsigned) {
    return Error{Errc::io, "the log of recordings cannot be signed: " + why_unsigned_};
  }
  retry_waiting();
  if (!waiting_.empty()) {
    return Error{Errc::io, "the log of recordings cannot be written"};
  }
  if (Status appended = log_.append(entries); !appended) {
    return appended;
  }
  unsigned_since_ = unsigned_since_.value_or(now);
  unsynced_ = true;
  changed_.notify_one();
  return ok();
}

void NodeLog::append_surely(const LogEntry& entry) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(entry);
  retry_waiting();
  unsynced_ = true;
  changed_.notify_one();
}

// With the lock held.
void NodeLog::retry_waiting() {
  if (waiting_.empty()) {
    return;
  }
  if (const Status appended = log_.append(waiting_); !appended) {
    if (!std::exchange(waits_for_room_, true)) {
      log_error("entries of the node log wait for the disk", {{"why", appended.error().message}});
    }
    return;
  }
  waits_for_room_ = false;
  waiting_.clear();
  unsigned_since_ = unsigned_since_.value_or(Clock::now());
}

void NodeLog::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || recording_ || unsynced_; });
    const bool stop = changed_.wait_for(lock, kInterval, [this] { return stopping_; });
    lock.unlock();
    work();  // also the last time
    lock.lock();
    if (stop) {
      return;
    }
  }
}

void NodeLog::work() {
  const auto began = Clock::now();
  {
    const std::lock_guard lock(mutex_);
    retry_waiting();
    unsynced_ = !waiting_.empty();
    TileFiles files = log_.files();
    unwritten_.size = files.size;
    unwritten_.root = files.root;
    std::move(files.files.begin(), files.files.end(), std::back_inserter(unwritten_.files));
    std::move(files.obsolete.begin(), files.obsolete.end(),
              std::back_inserter(unwritten_.obsolete));
  }
  const Status published = publish();
  const std::string why = published ? "" : published.error().message;
  const std::lock_guard lock(mutex_);
  unsynced_ = unsynced_ || !published;
  if (std::exchange(why_unsigned_, why) != why && !published) {  // it is tried every second
    log_error("the node log could not be signed", {{"why", why}});
  }
  if (published) {
    unsigned_since_ = log_.size() > signed_size_ ? std::optional(began) : std::nullopt;
  }
}

Status NodeLog::publish() {
  const Status written = write_tile_files(places_.folder, unwritten_);
  sync_or_stop();
  if (!written) {
    return written;
  }
  unwritten_.files.clear();
  if (!may_sign()) {
    return ok();
  }
  if (unwritten_.size > signed_size_) {
    if (Status done = sign_and_keep(); !done) {
      return done;
    }
  }
  remove_obsolete(places_.folder, unwritten_);
  unwritten_.obsolete.clear();
  return ok();
}

Status NodeLog::sign_and_keep() {
  const auto note = signer_.sign(places_.folder, {"", unwritten_.size, unwritten_.root}, note_);
  if (!note) {
    return note.error();
  }
  if (Status kept = replace_file(checkpoint_path(places_.folder), *note); !kept) {
    return kept;
  }
  signed_size_ = unwritten_.size;
  {
    const std::lock_guard lock(mutex_);
    note_ = *note;
  }
  ::eventfd_write(signed_event_.get(), 1);
  return ok();
}

// After an error of fsync nobody knows what is on the disk, and trying again says "yes" without
// having written it. So stored ends: sessions end with it, and the next one looks at the files.
void NodeLog::sync_or_stop() {
  for (const int folder : {sync_folder_.get(), log_folder_.get()}) {
    if (::syncfs(folder) != 0) {
      fatal(std::string("the disk of the recordings does not take what was written: ") +
            std::strerror(errno));
    }
  }
}

}  // namespace sallyport::stored
