// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/file_witness.h"

#include "bastion/witness/known.h"
#include "shared/base/hex.h"
#include "shared/base/unique_fd.h"
#include "shared/base/write_and_sync.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sallyport::witness {

namespace {

// About a thousand notes: what is looked at for the largest.
constexpr off_t kTailBytes = 256 * 1024;

// Empty where there is no file.
Result<std::string> read_tail(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    return errno == ENOENT ? Result(std::string()) : errno_error(path);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) {
    return errno_error(path);
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{Errc::invalid, path + " is not a file"};
  }
  off_t at = std::max<off_t>(0, info.st_size - kTailBytes);
  std::string tail(static_cast<size_t>(info.st_size - at), '\0');
  size_t filled = 0;
  while (filled < tail.size()) {
    const ssize_t got = ::pread(fd.get(), tail.data() + filled, tail.size() - filled,
                                at + static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return got < 0 ? errno_error(path) : Error{Errc::io, path + " became shorter"};
    }
    filled += static_cast<size_t>(got);
  }
  return tail;
}

Result<UniqueFd> open_to_append(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
  return fd ? Result(std::move(fd)) : errno_error(path);
}

// A new file's name is on disk only with its folder.
Status sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0 ? ok() : Status(errno_error(folder));
}

}  // namespace

WitnessSays FileWitness::show(const SignedLog& log) {
  const auto tail = read_tail(path_);
  if (!tail) {
    return silent(tail.error().message);
  }
  const auto known = find_known(*tail, log.verifier);
  if (known) {
    if (auto says = contradiction(*known, log)) {
      return *says;
    }
  }
  if (!log.checkpoint) {  // but say early what would go wrong
    const auto file = open_to_append(path_);
    return file ? nothing() : silent(file.error().message);
  }
  if (!known || known->checkpoint != *log.checkpoint) {
    const bool after_torn = !tail->empty() && !tail->ends_with("\n\n");
    if (const Status written = append(log.note, after_torn); !written) {
      return silent(written.error().message);
    }
  }
  return taken(log);
}

Status FileWitness::append(std::string_view note, bool after_torn) {
  const auto file = open_to_append(path_);
  if (!file) {
    return file.error();
  }
  const std::string bytes = (after_torn ? "\n\n" : "") + std::string(note) + "\n";
  if (!write_and_sync(file->get(), as_bytes(bytes))) {
    return errno_error(path_);
  }
  return sync_folder_of(path_);
}

}  // namespace sallyport::witness
