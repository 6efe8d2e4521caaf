// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/large_reads.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sallyport {

namespace {

constexpr size_t kBufferBytes = 128 * 1024;

struct ReadAhead {
  int fd = -1;
  size_t begin = 0;
  size_t end = 0;
  alignas(64) std::array<char, kBufferBytes> bytes;  // not resident before it is used
};
ReadAhead ahead;

long kernel_recv(int fd, void* to, size_t size, int flags) {
  return ::syscall(SYS_recvfrom, fd, to, size, flags, nullptr, nullptr);
}

long kernel_poll(pollfd* fds, nfds_t count, int timeout_ms) {
#ifdef SYS_poll
  return ::syscall(SYS_poll, fds, count, timeout_ms);
#else
  timespec timeout{timeout_ms / 1000, (timeout_ms % 1000) * 1'000'000L};
  return ::syscall(SYS_ppoll, fds, count, timeout_ms < 0 ? nullptr : &timeout, nullptr, 0);
#endif
}

}  // namespace

void read_ahead_of(int fd) {
  ahead.fd = fd;
  ahead.begin = ahead.end = 0;
}

bool has_buffered_input() {
  return ahead.begin != ahead.end;
}

}  // namespace sallyport

extern "C" {

// An error or an end of file comes again at the next call, as from the kernel.
__attribute__((visibility("default"))) ssize_t recv(int fd, void* to, size_t size, int flags) {
  using namespace sallyport;
  if (fd != ahead.fd || flags != 0) {
    return kernel_recv(fd, to, size, flags);
  }
  if (ahead.begin == ahead.end) {
    const long got = kernel_recv(fd, ahead.bytes.data(), ahead.bytes.size(), 0);
    if (got <= 0) {
      return got;
    }
    ahead.begin = 0;
    ahead.end = static_cast<size_t>(got);
  }
  const size_t piece = std::min(size, ahead.end - ahead.begin);
  std::memcpy(to, ahead.bytes.data() + ahead.begin, piece);
  ahead.begin += piece;
  return static_cast<ssize_t>(piece);
}

// The connection is readable while bytes of it wait here; the kernel is asked about the rest only
// where that rest is asked about.
__attribute__((visibility("default"))) int poll(pollfd* fds, nfds_t count, int timeout_ms) {
  using namespace sallyport;
  pollfd* ours = has_buffered_input()
                     ? std::find_if(fds, fds + count,
                                    [](const pollfd& p) {
                                      return p.fd == ahead.fd && (p.events & POLLIN) != 0;
                                    })
                     : fds + count;
  if (ours == fds + count) {
    return static_cast<int>(kernel_poll(fds, count, timeout_ms));
  }
  if (count == 1 && (ours->events & POLLOUT) == 0) {
    ours->revents = POLLIN;
    return 1;
  }
  const long ready = kernel_poll(fds, count, 0);
  if (ready < 0) {
    return static_cast<int>(ready);
  }
  const bool counted = ours->revents != 0;
  ours->revents = static_cast<short>(ours->revents | POLLIN);
  return static_cast<int>(ready) + (counted ? 0 : 1);
}
}
