// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/facts/facts_folder.h"

#include "shared/base/hex.h"
#include "shared/base/whole_file.h"
#include "shared/base/write_and_sync.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sallyport::stored {

namespace {

std::string name_of(const RecordingName& recording) {
  return recording_id(recording) + ".json";
}

// Only if the name is free. NFS knows linkat() alone for that, exFAT renameat2() alone.
bool take_name(int folder, const std::string& temporary, const std::string& name) {
  if (::renameat2(folder, temporary.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  return errno == EINVAL && ::linkat(folder, temporary.c_str(), folder, name.c_str(), 0) == 0 &&
         ::unlinkat(folder, temporary.c_str(), 0) == 0;
}

}  // namespace

Result<FactsFolder> FactsFolder::open(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error(path);
  }
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder || ::fchmod(folder.get(), 0700) != 0) {
    return errno_error(path);
  }
  return FactsFolder(std::move(folder), path);
}

Status FactsFolder::write_new(const RecordingName& recording, const FactsFile& facts) {
  const std::string name = name_of(recording);
  // One that a crash has left is begun again.
  const std::string temporary = name + ".new";
  const UniqueFd file(::openat(folder_.get(), temporary.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file || !write_all(file.get(), as_bytes(encode_facts_file(facts))) ||
      !take_name(folder_.get(), temporary, name)) {
    const int why = errno;
    ::unlinkat(folder_.get(), temporary.c_str(), 0);
    errno = why;
    return why == EEXIST ? Status(Error{Errc::invalid, in_folder(name) + ": is there already"})
                         : Status(errno_error(in_folder(name)));
  }
  return ok();
}

Result<std::optional<FactsFile>> FactsFolder::read(const RecordingName& recording) const {
  const std::string path = in_folder(name_of(recording));
  const auto bytes = read_file(path, kMaxFactsBytes);
  if (!bytes) {
    return bytes.error().code == Errc::not_found ? Result<std::optional<FactsFile>>(std::nullopt)
                                                 : bytes.error();
  }
  auto facts = parse_facts_file(*bytes, path);
  if (!facts) {
    return facts.error();
  }
  const auto event = parse_facts_event(facts->event, path);
  if (!event) {
    return event.error();
  }
  if (event->recording != recording_id(recording)) {
    return Error{Errc::corrupt, path + ": these are the facts of " + event->recording};
  }
  return std::optional(std::move(*facts));
}

bool FactsFolder::has(const RecordingName& recording) const {
  const auto is_there = [&](const std::string& name) {
    struct stat info {};
    return ::fstatat(folder_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 ||
           errno != ENOENT;
  };
  return is_there(name_of(recording)) || is_there(name_of(recording) + ".new");
}

Status FactsFolder::remove(const RecordingName& recording) const {
  const std::string name = name_of(recording);
  for (const std::string& one : {name, name + ".new"}) {
    if (::unlinkat(folder_.get(), one.c_str(), 0) != 0 && errno != ENOENT) {
      return errno_error("removing " + in_folder(one));
    }
  }
  return ok();
}

}  // namespace sallyport::stored
