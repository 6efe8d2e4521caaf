// SPDX-License-Identifier: Apache-2.0
#include "player/saved_header.h"

#include "shared/base/hex.h"
#include "shared/base/new_file.h"
#include "shared/base/printable.h"
#include "shared/base/unique_fd.h"
#include "shared/recording/envelope_in_place.h"
#include "shared/recording/source.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace sallyport {

std::string saved_header_path(const std::string& recording) {
  return recording + ".rewrap";
}

Status save_header(const std::string& recording, int recording_fd, const RecordingHeader& header) {
  if (Status removed = remove_saved_header(recording); !removed) {
    return removed;
  }
  std::vector<uint8_t> bytes(header.size);
  const auto got = read_fully_at(recording_fd, 0, bytes);
  if (!got) {
    return got.error();
  }
  Status written = write_new_file(saved_header_path(recording), as_text(bytes));
  return written ? ok()
                 : Error{written.error().code,
                         written.error().message + "; the old envelope is kept there until the " +
                             "new one is on disk, so the folder must be writable"};
}

std::optional<RecordingHeader> read_saved_header(const std::string& recording,
                                                 const RecordingHeader& header) {
  const UniqueFd fd(::open(saved_header_path(recording).c_str(), O_RDONLY | O_CLOEXEC));
  auto saved = fd ? read_header(fd.get()) : Result<RecordingHeader>(Error{Errc::not_found, ""});
  // The head covers all of a header but its envelope.
  if (!saved || saved->first_head != header.first_head) {
    return std::nullopt;
  }
  return std::move(*saved);
}

Status remove_saved_header(const std::string& recording) {
  const std::string path = saved_header_path(recording);
  if (::unlink(path.c_str()) != 0) {
    return errno == ENOENT ? ok() : errno_error("cannot remove " + printable(path));
  }
  sync_folder_of(path);
  return ok();
}

}  // namespace sallyport
