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

enum class Kernel { unknown, empty, readable };  // what it said last of the connection's input

struct ReadAhead {
  int fd = -1;
  Kernel kernel = Kernel::unknown;
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
  ahead.kernel = Kernel::unknown;
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
    const bool all = got > 0 && static_cast<size_t>(got) < ahead.bytes.size();
    ahead.kernel = all ? Kernel::empty : Kernel::unknown;
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

// The connection is readable while bytes of it wait here. Of one that the kernel has just said to
// be empty or readable it is not asked again: libssh asks some six times for each packet.
__attribute__((visibility("default"))) int poll(pollfd* fds, nfds_t count, int timeout_ms) {
  using namespace sallyport;
  pollfd* ours = std::find_if(fds, fds + count, [](const pollfd& p) {
    return p.fd == ahead.fd && (p.events & POLLIN) != 0;
  });
  if (ours == fds + count) {
    return static_cast<int>(kernel_poll(fds, count, timeout_ms));
  }
  const bool readable = has_buffered_input();
  const bool known =
      (ours->events & POLLOUT) == 0 && timeout_ms == 0 && ahead.kernel != Kernel::unknown;
  if (count == 1 && (readable || known)) {
    ours->revents = readable || ahead.kernel == Kernel::readable ? POLLIN : 0;
    return ours->revents != 0 ? 1 : 0;
  }
  const long ready = kernel_poll(fds, count, readable ? 0 : timeout_ms);
  if (ready < 0) {
    return static_cast<int>(ready);
  }
  const bool counted = ours->revents != 0;
  ahead.kernel = (ours->revents & ~POLLOUT) != 0 ? Kernel::readable : Kernel::empty;
  if (readable) {
    ours->revents = static_cast<short>(ours->revents | POLLIN);
  }
  return static_cast<int>(ready) + (readable && !counted ? 1 : 0);
}
}
