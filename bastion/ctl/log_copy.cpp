// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/log_copy.h"

#include "shared/base/printable.h"
#include "shared/base/whole_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sallyport {

namespace {

namespace fs = std::filesystem;

bool is_within(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

// Without links, as far as it is there.
Result<fs::path> resolved(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  fs::path real = error ? fs::path() : fs::weakly_canonical(whole, error);
  return error ? Result<fs::path>(Error{Errc::io, printable(path) + ": " + error.message()})
               : Result(std::move(real));
}

}  // namespace

Result<LogCopy> LogCopy::open(const std::string& folder, const std::string& kept_out) {
  const auto wanted = resolved(folder);
  const auto forbidden = resolved(kept_out);
  if (!wanted || !forbidden) {
    return wanted ? forbidden.error() : wanted.error();
  }
  if (is_within(*wanted, *forbidden)) {
    return Error{Errc::invalid, printable(folder) + " is in the bastion's own " +
                                    printable(kept_out) + "; name a folder elsewhere"};
  }
  LogCopy copy;
  copy.root_ = *wanted;
  if (::mkdir(wanted->c_str(), 0750) != 0 && errno != EEXIST) {
    return errno_error(folder);
  }
  copy.folder_.reset(::open(wanted->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!copy.folder_) {
    return errno_error(folder);
  }
  // A network's file system may have no such locks.
  if (::flock(copy.folder_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Error{Errc::io, "another export to " + printable(folder) + " runs"};
  }
  return copy;
}

bool LogCopy::has(const std::string& name) const {
  std::error_code ignored;
  return fs::exists(root_ / name, ignored);
}

Status LogCopy::put(const std::string& name, std::string_view bytes) const {
  const fs::path folder = (root_ / name).parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path real = error ? fs::path() : fs::canonical(folder, error);
  if (error) {
    return Error{Errc::io, folder.string() + ": " + error.message()};
  }
  // A link among our folders could lead anywhere, back into the log, too.
  if (real != folder) {
    return Error{Errc::invalid, folder.string() + " is behind a link, to " + real.string() +
                                    "; remove the link, or name another folder"};
  }
  if (const auto there = read_file(path(name), bytes.size()); there && *there == bytes) {
    return ok();
  }
  return replace_file(path(name), bytes);
}

void LogCopy::remove(const std::string& name) const {
  std::error_code ignored;
  fs::remove_all(root_ / name, ignored);
}

Status LogCopy::sync() const {
  return ::syncfs(folder_.get()) == 0 ? ok() : Status(errno_error(root_.string()));
}

}  // namespace sallyport
