// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/legal_holds.h"

#include "shared/base/new_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sallyport::stored {

Result<LegalHolds> LegalHolds::open(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) {
    return errno_error(path);
  }
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return Error{Errc::io, path + " is no folder"};
  }
  return LegalHolds(path);
}

std::string LegalHolds::path_of(const RecordingName& recording) const {
  return path_ + "/" + recording_id(recording);
}

Status LegalHolds::hold(const RecordingName& recording, const std::string& reason) {
  return is_held(recording) ? ok() : write_new_file(path_of(recording), reason + "\n", 0640);
}

Status LegalHolds::release(const RecordingName& recording) {
  const std::string path = path_of(recording);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return errno_error(path);
  }
  sync_folder_of(path);
  return ok();
}

bool LegalHolds::is_held(const RecordingName& recording) const {
  struct stat info {};
  return ::lstat(path_of(recording).c_str(), &info) == 0 || errno != ENOENT;
}

}  // namespace sallyport::stored
