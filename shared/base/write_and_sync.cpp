// SPDX-License-Identifier: Apache-2.0
#include "shared/base/write_and_sync.h"

#include <unistd.h>

#include <cerrno>

namespace sallyport {

bool write_and_sync(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno != EINTR) {
      return false;
    }
    bytes = bytes.subspan(put > 0 ? static_cast<size_t>(put) : 0);
  }
  return ::fsync(fd) == 0;
}

}  // namespace sallyport
