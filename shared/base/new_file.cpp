// SPDX-License-Identifier: Apache-2.0
#include "shared/base/new_file.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/base/unique_fd.h"
#include "shared/base/write_and_sync.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace sallyport {

namespace {

// Only if the name is free. NFS knows link() alone for that, exFAT renameat2() alone.
bool take_name(const std::string& temporary, const std::string& path) {
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  return errno == EINVAL && ::link(temporary.c_str(), path.c_str()) == 0 &&
         ::unlink(temporary.c_str()) == 0;
}

}  // namespace

Status write_new_file(const std::string& path, std::string_view bytes, mode_t mode,
                      std::optional<FileOwner> owner) {
  std::string temporary = path + ".XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) {
    return errno_error("cannot create " + printable(path));
  }
  Status made = ok();
  if ((owner && ::fchown(fd.get(), owner->user, owner->group) != 0) ||
      ::fchmod(fd.get(), mode) != 0 || !write_and_sync(fd.get(), as_bytes(bytes))) {
    made = errno_error("cannot write " + printable(path));
  } else if (!take_name(temporary, path)) {
    made = errno_error("cannot create " + printable(path));
  }
  if (!made) {
    ::unlink(temporary.c_str());
    return made;
  }
  sync_folder_of(path);
  return ok();
}

void sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) {
    ::fsync(fd.get());
  }
}

}  // namespace sallyport
