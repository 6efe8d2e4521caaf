// SPDX-License-Identifier: Apache-2.0
#include "shared/base/secret_bytes.h"
#include "shared/base/unique_fd.h"
#include "shared/config/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace sallyport {

namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kKeyDigits = 2 * kKeyBytes;

// Not from_hex(): its result is an ordinary vector, which would leave the key in the heap.
int digit_value(uint8_t c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Result<SecretBytes> read_key(int fd, const std::string& path) {
  SecretBytes text(kKeyDigits + 2);
  size_t size = 0;
  ssize_t got = 0;
  while (size < text.size() && (got = ::read(fd, text.data() + size, text.size() - size)) > 0) {
    size += static_cast<size_t>(got);
  }
  if (got < 0) {
    return errno_error(path + ": cannot be read");
  }
  const bool newline = size == kKeyDigits + 1 && text.data()[kKeyDigits] == '\n';
  bool good = size == kKeyDigits || newline;
  SecretBytes key(kKeyBytes);
  for (size_t i = 0; good && i < kKeyBytes; ++i) {
    const int high = digit_value(text.data()[2 * i]);
    const int low = digit_value(text.data()[2 * i + 1]);
    good = high >= 0 && low >= 0;
    key.data()[i] = static_cast<uint8_t>((high << 4) | low);
  }
  if (!good) {
    return Error{Errc::corrupt, path +
                                    ": is not a key of 64 hex digits; restore it from a backup, "
                                    "or make a new one with `openssl rand -hex 32`"};
  }
  return key;
}

}  // namespace

Result<SecretBytes> read_key_file(const std::string& file, const std::string& credential_name) {
  std::string path = file;
  bool credential = false;
  if (const char* folder = std::getenv("CREDENTIALS_DIRECTORY"); folder != nullptr) {
    const std::string given = std::string(folder) + "/" + credential_name;
    if (::access(given.c_str(), F_OK) == 0) {
      path = given;
      credential = true;
    }
  }
  if (path.empty()) {
    return Error{Errc::not_found, "no key: give " + credential_name +
                                      " as a systemd credential or its file in the configuration"};
  }
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    return errno_error(path + ": cannot be opened");
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{Errc::invalid, path + ": is not a regular file"};
  }
  // systemd itself guards its credentials; their owner and mode depend on its version.
  if (!credential && ::geteuid() != 0 && info.st_uid != ::geteuid() && info.st_uid != 0) {
    return Error{Errc::denied, path +
                                   ": belongs to another user; `chown` it to the one who reads "
                                   "it"};
  }
  if (!credential && (info.st_mode & 077) != 0) {
    return Error{Errc::denied, path + ": others may read it; `chmod 600` it"};
  }
  return read_key(fd.get(), path);
}

}  // namespace sallyport
