// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sallyport {

Result<size_t> read_fully_at(int fd, uint64_t offset, std::span<uint8_t> out) {
  size_t got = 0;
  while (got < out.size()) {
    const ssize_t n =
        ::pread(fd, out.data() + got, out.size() - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return errno_error("reading the recording");
    }
    if (n == 0) {
      break;
    }
    got += static_cast<size_t>(n);
  }
  return got;
}

Result<size_t> FdSource::read_at(uint64_t offset, std::span<uint8_t> out) {
  return read_fully_at(fd_.get(), offset, out);
}

Result<uint64_t> FdSource::size() {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) {
    return errno_error("reading the recording's size");
  }
  return static_cast<uint64_t>(status.st_size);
}

// ENXIO: a hole up to the end.
uint64_t FdSource::after_hole(uint64_t offset) {
  const off_t data = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) {
    return static_cast<uint64_t>(data);
  }
  const auto end = errno == ENXIO ? size() : Result<uint64_t>(offset);
  return end ? std::max(offset, *end) : offset;
}

Result<size_t> MemorySource::read_at(uint64_t offset, std::span<uint8_t> out) {
  if (offset >= bytes_.size()) {
    return size_t{0};
  }
  const auto rest = std::span(bytes_).subspan(static_cast<size_t>(offset));
  const size_t count = std::min(rest.size(), out.size());
  std::copy_n(rest.begin(), count, out.begin());
  return count;
}

}  // namespace sallyport
