// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/unfinished.h"

#include "shared/base/log.h"
#include "shared/base/unique_fd.h"
#include "shared/recording/walker.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace sallyport::stored {

namespace {

// Errc::not_found, Errc::corrupt: it is no recording; anything else says nothing about the file.
Result<UniqueFd> open_to_read(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd) {
    return fd;
  }
  return errno == ENOENT ? Error{Errc::not_found, path + " is missing"} : errno_error(path);
}

Result<RecordingWalker> walk(UniqueFd fd) {
  return RecordingWalker::open(std::make_unique<FdSource>(std::move(fd)));
}

Result<RecordingHead> walk_to_end(RecordingWalker& walker) {
  const RecordingName name = walker.header().name();
  for (;;) {
    const auto frame = walker.next();
    if (!frame && frame.error().code == Errc::io) {
      return frame.error();
    }
    if (!frame) {
      log_error("a recording is damaged",
                {{"recording", recording_id(name)}, {"why", frame.error().message}});
    }
    if (!frame || !*frame) {
      return RecordingHead{name, walker.frames(), *walker.chain_head()};
    }
  }
}

bool says_something(const Error& error) {
  return error.code == Errc::not_found || error.code == Errc::corrupt;
}

// `look` at a walker of the file; false where there is no recording.
template <class Look>
Result<bool> ask_file(const std::string& path, const Look& look) {
  auto fd = open_to_read(path);
  auto walker = fd ? walk(std::move(*fd)) : Result<RecordingWalker>(fd.error());
  if (walker) {
    return look(*walker);
  }
  return says_something(walker.error()) ? Result(false) : walker.error();
}

}  // namespace

Result<std::optional<UnfinishedRecording>> look_at_unfinished(const std::string& path,
                                                              const RecordingName& name) {
  auto fd = open_to_read(path);
  if (!fd) {
    return fd.error();
  }
  if (::flock(fd->get(), LOCK_SH | LOCK_NB) != 0) {
    return std::optional<UnfinishedRecording>();
  }
  auto walker = walk(std::move(*fd));
  const auto head = walker ? walk_to_end(*walker) : Result<RecordingHead>(walker.error());
  if (!head) {
    return Error{head.error().code, path + ": " + head.error().message};
  }
  if (head->recording != name) {
    return Error{Errc::corrupt, path + " is the recording " + recording_id(head->recording)};
  }
  return std::optional(UnfinishedRecording{*head, walker->ended()});
}

Result<bool> is_complete(const std::string& path, const RecordingHead& head) {
  return ask_file(path, [&](RecordingWalker& walker) -> Result<bool> {
    const auto found = walk_to_end(walker);
    return found ? Result(*found == head) : found.error();
  });
}

Result<bool> has_begun(const std::string& path, const RecordingName& name,
                       const Sha256Digest& first_head) {
  return ask_file(path, [&](RecordingWalker& walker) -> Result<bool> {
    return walker.header().name() == name && walker.header().first_head == first_head;
  });
}

}  // namespace sallyport::stored
