// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/recovery.h"

#include "shared/base/log.h"
#include "shared/base/printable.h"
#include "shared/base/whole_file.h"
#include "shared/evidence/tiles.h"
#include "shared/recording/walker.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace sallyport::stored {

namespace {

constexpr std::string_view kSavedHeader = ".brec.rewrap";

// A bundle that was filled a moment ago is not a tile yet.
Result<std::string> bundle_bytes(const std::string& log_folder, uint64_t size, uint64_t number) {
  auto pending = read_file(log_folder + "/pending-" + std::to_string(number), kMaxBundleBytes);
  return pending ? pending : TileReader(log_folder, size).bundle(number);
}

// Empty where it is what its name says.
Result<std::string> what_file_is(const std::string& path, const RecordingName& name) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && (errno == ELOOP || errno == ENXIO)) {
    return std::string("it is no file");
  }
  if (!fd) {
    return errno_error(path);
  }
  const auto walker = RecordingWalker::open(std::make_unique<FdSource>(std::move(fd)));
  if (!walker) {
    return walker.error().code == Errc::corrupt ? Result(walker.error().message)
                                                : Result<std::string>(walker.error());
  }
  const RecordingName is = walker->header().name();
  return is == name ? std::string()
                    : "it is the recording " + recording_id(is) + " under another name";
}

}  // namespace

Status for_each_entry(const std::string& log_folder, uint64_t size,
                      const std::function<void(const LogEntry&)>& use) {
  for (uint64_t first = 0; first < size; first += kTileWidth) {
    const auto bytes = bundle_bytes(log_folder, size, first / kTileWidth);
    if (!bytes) {
      return bytes.error();
    }
    const auto read = read_bundle(*bytes);
    const uint64_t count = std::min(kTileWidth, size - first);
    if (read.entries.size() < count) {
      return Error{Errc::corrupt, log_folder + ": entries are missing"};
    }
    for (uint64_t i = 0; i < count; ++i) {
      const auto entry = parse_log_entry(read.entries[i]);
      if (!entry) {
        return entry.error();
      }
      use(*entry);
    }
  }
  return ok();
}

void LoggedRecordings::take(const LogEntry& entry) {
  if (entry.kind == LogEntry::Kind::start) {
    ended.emplace(entry.recording, false);
  } else if (entry.kind == LogEntry::Kind::end || entry.kind == LogEntry::Kind::erase) {
    ended[entry.recording] = true;
  }
  if (entry.kind == LogEntry::Kind::erase) {
    erased[entry.recording] = entry.hash;
  }
}

Result<LoggedRecordings> logged_recordings(const std::string& log_folder, uint64_t size) {
  LoggedRecordings logged;
  const Status read =
      for_each_entry(log_folder, size, [&](const LogEntry& entry) { logged.take(entry); });
  return read ? Result(std::move(logged)) : Result<LoggedRecordings>(read.error());
}

Result<std::string> why_foreign(const RecordingsFolder& folder, const std::string& file_name,
                                const LoggedRecordings& logged) {
  const auto name = parse_recording_file_name(file_name);
  if (!name) {
    return std::string("its name is not a recording's");
  }
  auto why = what_file_is(folder.path() + "/" + file_name, *name);
  if (why && why->empty() && !logged.ended.contains(*name)) {
    return std::string("the node log does not know it");
  }
  return why;
}

size_t set_aside_foreign(RecordingsFolder& folder, const std::vector<std::string>& file_names,
                         const LoggedRecordings& logged) {
  size_t count = 0;
  for (const std::string& file_name : file_names) {
    if (file_name.ends_with(kSavedHeader)) {
      continue;  // of an interrupted `sallyport-play rewrap`, which needs it
    }
    const auto why = why_foreign(folder, file_name, logged);
    if (!why) {
      log_error("a file among the recordings cannot be read",
                {{"file", printable(file_name)}, {"why", why.error().message}});
    }
    if (!why || why->empty()) {
      continue;
    }
    const auto moved = folder.set_aside(file_name);
    if (!moved) {
      log_error("a file among the recordings is none, and cannot be set aside",
                {{"file", printable(file_name)}, {"why", *why}, {"error", moved.error().message}});
      continue;
    }
    ++count;
    log_warning("a file among the recordings is set aside",
                {{"file", printable(file_name)}, {"why", *why}, {"to", printable(*moved, 1000)}});
  }
  return count;
}

}  // namespace sallyport::stored
