// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/recordings_folder.h"

#include "shared/base/log.h"
#include "shared/recording/file_name.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace sallyport::stored {

namespace {

constexpr auto kInterval = std::chrono::seconds(1);

}  // namespace

Result<RecordingsFolder> RecordingsFolder::open(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) {
    return errno_error(path);
  }
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fchmod(folder.get(), 0750) != 0) {
    return errno_error(path);
  }
  return RecordingsFolder(std::move(folder), path);
}

Result<UniqueFd> RecordingsFolder::create(const Id& session, uint32_t channel) {
  const std::string name = recording_file_name(session, channel);
  UniqueFd file(::openat(folder_.get(), name.c_str(),
                         O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file || ::fchmod(file.get(), 0640) != 0) {
    return errno_error(path_ + "/" + name);
  }
  return file;
}

Syncer::Syncer(int folder) : folder_(folder), thread_([this] { run(); }) {}

Syncer::~Syncer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Syncer::set_open(size_t recordings) {
  const std::lock_guard lock(mutex_);
  open_ = recordings;
  unsynced_ = true;
  changed_.notify_one();
}

void Syncer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || open_ > 0 || unsynced_; });
    if (changed_.wait_for(lock, kInterval, [this] { return stopping_; })) {
      return;
    }
    unsynced_ = false;
    lock.unlock();
    if (::syncfs(folder_) != 0) {
      log_error("the disk of the recordings does not take what was written",
                {{"errno", std::to_string(errno)}});
    }
    lock.lock();
  }
}

}  // namespace sallyport::stored
