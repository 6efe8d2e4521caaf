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
  stopping_ = true;
  thread_.join();
}

void Syncer::run() {
  bool was_open = false;
  for (int tick = 0; !stopping_; ++tick) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (tick % 10 != 0) {
      continue;
    }
    const bool is_open = open_ > 0;
    // Once more after the last one has closed.
    if ((is_open || was_open) && ::syncfs(folder_) != 0) {
      log_error("the disk of the recordings does not take what was written",
                {{"errno", std::to_string(errno)}});
    }
    was_open = is_open;
  }
}

}  // namespace sallyport::stored
