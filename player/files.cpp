// SPDX-License-Identifier: Apache-2.0
#include "player/files.h"

#include "shared/base/printable.h"
#include "shared/base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {

namespace {

constexpr off_t kMaxSmallFile = 1024 * 1024;

}  // namespace

Result<SecretBytes> read_secret_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    return errno_error("cannot read " + printable(path));
  }
  if (!S_ISREG(info.st_mode) || info.st_size > kMaxSmallFile) {
    return Error{Errc::invalid, printable(path) + " is not a small ordinary file"};
  }
  SecretBytes bytes(static_cast<size_t>(info.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0) {
      return errno_error("cannot read " + printable(path));
    }
    if (got == 0) {
      return SecretBytes(bytes.view().substr(0, done));
    }
    done += static_cast<size_t>(got);
  }
  return bytes;
}

Result<std::string> read_small_file(const std::string& path) {
  Result<SecretBytes> bytes = read_secret_file(path);
  if (!bytes) {
    return bytes.error();
  }
  return std::string(bytes->view());
}

}  // namespace sallyport
