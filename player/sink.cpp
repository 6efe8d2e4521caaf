// SPDX-License-Identifier: Apache-2.0
#include "player/sink.h"

#include "shared/base/printable.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace sallyport {

Result<Sink> Sink::open(const std::string& path) {
  if (path.empty() || path == "-") {
    return Sink(UniqueFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)));
  }
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) {
    return errno_error("cannot create " + printable(path));
  }
  return Sink(std::move(fd));
}

bool Sink::is_terminal() const {
  return ::isatty(fd_.get()) == 1;
}

Status Sink::drain(size_t above) {
  if (buffer_.size() <= above) {
    return ok();
  }
  std::string_view rest = buffer_;
  while (!rest.empty() && !gone_) {
    const ssize_t put = ::write(fd_.get(), rest.data(), rest.size());
    if (put >= 0) {
      rest.remove_prefix(static_cast<size_t>(put));
    } else if (errno == EPIPE) {
      gone_ = true;
    } else if (errno != EINTR) {
      return errno_error("cannot write");
    }
  }
  buffer_.clear();
  return ok();
}

}  // namespace sallyport
