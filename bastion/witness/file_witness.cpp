// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/file_witness.h"

#include "shared/base/hex.h"
#include "shared/base/unique_fd.h"
#include "shared/base/write_and_sync.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sallyport::witness {

namespace {

constexpr uint64_t kBlockBytes = 4 * 1024 * 1024;

Result<UniqueFd> open_to_read(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == ENOENT) {
    return Error{Errc::not_found, path + " is missing"};
  }
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    return errno_error(path);
  }
  return S_ISREG(info.st_mode) ? Result(std::move(fd))
                               : Error{Errc::invalid, path + " is not a file"};
}

Result<std::string> read_at(int fd, uint64_t offset, uint64_t count) {
  std::string bytes(count, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + filled, bytes.size() - filled,
                                static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return got < 0 ? errno_error("reading") : Error{Errc::io, "it became shorter"};
    }
    filled += static_cast<size_t>(got);
  }
  return bytes;
}

Result<UniqueFd> open_to_append(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
  return fd ? Result(std::move(fd)) : errno_error(path);
}

// A new file's name is on disk only with its folder.
Status sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0 ? ok() : Status(errno_error(folder));
}

}  // namespace

// In blocks; each begins so far before the end of the last one that no note is cut by both.
Status FileWitness::read_on(const NoteVerifier& verifier) {
  const auto fd = open_to_read(path_);
  if (!fd) {
    read_until_ = 0;
    is_torn_ = false;
    return fd.error().code == Errc::not_found ? ok() : Status(fd.error());
  }
  const auto size = static_cast<uint64_t>(::lseek(fd->get(), 0, SEEK_END));
  if (size < read_until_ || !known_.is_of(verifier)) {
    read_until_ = 0;  // another file, or another log
    is_torn_ = false;
    known_.take("", verifier);
  }
  while (read_until_ < size) {
    const uint64_t from = read_until_ - std::min<uint64_t>(read_until_, kMaxNoteBytes);
    const uint64_t until = std::min(size, read_until_ + kBlockBytes);
    const auto bytes = read_at(fd->get(), from, until - from);
    if (!bytes) {
      return Error{bytes.error().code, path_ + ": " + bytes.error().message};
    }
    std::string_view text = *bytes;
    if (from > 0) {  // the rest of a line is none
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    }
    known_.take(text, verifier);
    is_torn_ = !text.ends_with("\n\n");
    read_until_ = until;
  }
  return ok();
}

WitnessSays FileWitness::show(const SignedLog& log) {
  if (const Status read = read_on(log.verifier); !read) {
    return silent(read.error().message);
  }
  if (const auto says = known_.contradiction(log)) {
    return *says;
  }
  if (!log.checkpoint) {  // but say early what would go wrong
    const auto file = open_to_append(path_);
    return file ? nothing() : silent(file.error().message);
  }
  if (!known_.is(*log.checkpoint) || read_until_ == 0) {
    if (const Status written = append(log.note); !written) {
      return silent(written.error().message);
    }
  }
  return taken(log);
}

Status FileWitness::append(std::string_view note) {
  const auto file = open_to_append(path_);
  if (!file) {
    return file.error();
  }
  const std::string bytes = (is_torn_ ? "\n\n" : "") + std::string(note) + "\n";
  if (!write_and_sync(file->get(), as_bytes(bytes))) {
    return errno_error(path_);
  }
  return sync_folder_of(path_);
}

}  // namespace sallyport::witness
