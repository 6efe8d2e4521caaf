// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/vault_files.h"

#include "shared/base/unique_fd.h"
#include "shared/base/write_and_sync.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sallyport {

namespace {

constexpr size_t kMaxFileBytes = 32 * 1024;

}  // namespace

Result<std::vector<uint8_t>> read_small_file(int folder, const std::string& name) {
  // O_NONBLOCK: a fifo in the file's place must not stop keyd.
  const UniqueFd fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    return errno == ENOENT ? Error{Errc::not_found, name}
                           : errno_error("opening keyd's file " + name);
  }
  std::vector<uint8_t> bytes(kMaxFileBytes + 1);
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return errno_error("reading keyd's file " + name);
    }
    if (got == 0) {
      break;
    }
    size += static_cast<size_t>(got);
  }
  if (size > kMaxFileBytes) {
    return Error{Errc::corrupt, name + " is too long"};
  }
  bytes.resize(size);
  return bytes;
}

namespace {

Status write_file(int folder, const std::string& name, std::span<const uint8_t> bytes,
                  unsigned rename_flags) {
  const std::string temporary = name + ".new";
  const UniqueFd fd(::openat(folder, temporary.c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd || ::fchmod(fd.get(), 0600) != 0) {
    return errno_error("making keyd's file " + name);
  }
  Status written =
      write_and_sync(fd.get(), bytes) ? ok() : Status(errno_error("writing keyd's file " + name));
  if (written && ::renameat2(folder, temporary.c_str(), folder, name.c_str(), rename_flags) != 0) {
    written =
        errno == EEXIST ? Error{Errc::denied, "exists"} : errno_error("making keyd's file " + name);
  }
  if (!written) {
    ::unlinkat(folder, temporary.c_str(), 0);
    return written;
  }
  return sync_folder(folder);
}

}  // namespace

Status write_new_file(int folder, const std::string& name, std::span<const uint8_t> bytes) {
  return write_file(folder, name, bytes, RENAME_NOREPLACE);
}

Status replace_small_file(int folder, const std::string& name, std::span<const uint8_t> bytes) {
  return write_file(folder, name, bytes, 0);
}

Status sync_folder(int folder) {
  return ::fsync(folder) == 0 ? ok() : Status(errno_error("fsync of keyd's folder"));
}

}  // namespace sallyport
