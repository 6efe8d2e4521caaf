// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/legal_holds.h"

#include "shared/base/new_file.h"
#include "shared/base/printable.h"
#include "shared/base/whole_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sallyport::stored {

namespace {

constexpr size_t kMaxReasonBytes = 4096;

Error held_already(const RecordingName& recording, const Result<std::string>& reason) {
  const std::string id = recording_id(recording);
  return Error{Errc::denied,
               id + " is held already, " +
                   (reason ? "for the reason \"" + printable(*reason, 500) + "\""
                           : "for a reason that cannot be read (" + reason.error().message + ")") +
                   "; for another one: sallyportctl recordings release " + id +
                   ", then hold it again"};
}

}  // namespace

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
  if (is_held(recording)) {
    const auto first = reason_of(recording);
    return first && *first == reason ? ok() : Status(held_already(recording, first));
  }
  const Status held = write_new_file(path_of(recording), reason + "\n", 0640);
  return held ? ok()
              : Status(Error{held.error().code,
                             recording_id(recording) +
                                 " is not held, as a hold needs a file: " + held.error().message});
}

Result<std::string> LegalHolds::reason_of(const RecordingName& recording) const {
  auto text = read_file(path_of(recording), kMaxReasonBytes);
  if (text && text->ends_with('\n')) {
    text->pop_back();
  }
  return text;
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
