// SPDX-License-Identifier: Apache-2.0
#include "shared/base/whole_file.h"

#include "shared/base/hex.h"
#include "shared/base/unique_fd.h"
#include "shared/base/write_and_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sallyport {

Result<std::string> read_file(const std::string& path, size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!fd) {
    return errno == ENOENT ? Error{Errc::not_found, path + " is missing"} : errno_error(path);
  }
  std::string bytes;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno != EINTR) {
      return errno_error(path);
    }
    if (got == 0) {
      return bytes;
    }
    bytes.append(buffer, got > 0 ? static_cast<size_t>(got) : 0);
    if (bytes.size() > max_bytes) {
      return Error{Errc::corrupt, path + " is too long"};
    }
  }
}

Status replace_file(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  const UniqueFd fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd || !write_all(fd.get(), as_bytes(bytes)) ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = errno_error(path);
    ::unlink(temporary.c_str());
    return error;
  }
  return ok();
}

}  // namespace sallyport
