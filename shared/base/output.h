// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <poll.h>
#include <unistd.h>

#include <cstdio>

namespace sallyport {

// For the end of a command: what std::printf and std::cout hold back goes out now, so that a full
// disk behind standard output does not look like success. A reader that has gone (| head) is no
// error; errno of an earlier write is lost by now, so the descriptor is asked.
inline Status flush_output() {
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0) {
    return ok();
  }
  pollfd descriptor{STDOUT_FILENO, POLLOUT, 0};
  if (::poll(&descriptor, 1, 0) == 1 && (descriptor.revents & (POLLERR | POLLHUP)) != 0) {
    return ok();
  }
  return Error{Errc::io, "standard output could not be written: is its disk full?"};
}

}  // namespace sallyport
