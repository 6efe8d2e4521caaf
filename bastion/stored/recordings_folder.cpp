// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/recordings_folder.h"

#include "shared/base/write_and_sync.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace sallyport::stored {

namespace {

constexpr const char* kSetAside = "/../set-aside";

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

std::string RecordingsFolder::path_of(const RecordingName& name) const {
  return path_ + "/" + recording_file_name(name);
}

Result<UniqueFd> RecordingsFolder::create(const RecordingName& name,
                                          std::span<const uint8_t> header) {
  const std::string path = path_of(name);
  UniqueFd file(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) {
    return errno_error(path);
  }
  if (::fchmod(file.get(), 0640) != 0 || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0 ||
      !write_all(file.get(), header)) {
    const Error error = errno_error(path);
    ::unlink(path.c_str());
    return error;
  }
  return file;
}

void RecordingsFolder::remove(const RecordingName& name) {
  ::unlink(path_of(name).c_str());
}

Result<std::vector<std::string>> RecordingsFolder::file_names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator files(path_, error), end; !error && files != end;
       files.increment(error)) {
    names.push_back(files->path().filename().string());
  }
  if (error) {
    return Error{Errc::io, path_ + ": " + error.message()};
  }
  return names;
}

Result<std::string> RecordingsFolder::set_aside(const std::string& file_name) {
  const std::string folder = path_ + kSetAside;
  if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
    return errno_error(folder);
  }
  // What was set aside under this name before stays.
  for (int copy = 0; copy < 1000; ++copy) {
    const std::string to = folder + "/" + file_name + (copy == 0 ? "" : "." + std::to_string(copy));
    if (::renameat2(AT_FDCWD, (path_ + "/" + file_name).c_str(), AT_FDCWD, to.c_str(),
                    RENAME_NOREPLACE) == 0) {
      return std::filesystem::path(to).lexically_normal().string();
    }
    if (errno != EEXIST) {
      return errno_error(to);
    }
  }
  return Error{Errc::limit, folder + " is full of files named " + file_name};
}

bool RecordingsFolder::is_set_aside(const RecordingName& name) const {
  return ::access((path_ + kSetAside + "/" + recording_file_name(name)).c_str(), F_OK) == 0;
}

Result<uint64_t> RecordingsFolder::free_bytes() const {
  struct statvfs info {};
  if (::fstatvfs(folder_.get(), &info) != 0) {
    return errno_error(path_);
  }
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

uint64_t RecordingsFolder::bytes_of(const RecordingName& name) const {
  struct stat info {};
  return ::stat(path_of(name).c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

}  // namespace sallyport::stored
