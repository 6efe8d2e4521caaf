// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex_key.h"
#include "shared/base/unique_fd.h"
#include "shared/config/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace sallyport {

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
  return read_hex_key(fd.get(), path);
}

}  // namespace sallyport
