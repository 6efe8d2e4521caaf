// SPDX-License-Identifier: Apache-2.0
#include "shared/base/write_and_sync.h"

#include <unistd.h>

#include <cerrno>

namespace sallyport {

bool write_all(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      errno = put == 0 ? ENOSPC : errno;
      return false;
    }
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return true;
}

bool write_and_sync(int fd, std::span<const uint8_t> bytes) {
  return write_all(fd, bytes) && ::fsync(fd) == 0;
}

}  // namespace sallyport
