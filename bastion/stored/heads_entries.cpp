// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/heads_entries.h"

#include "bastion/stored/recovery.h"
#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/base/unix_ms.h"
#include "shared/base/whole_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

namespace sallyport::stored {

namespace {

constexpr auto kInterval = std::chrono::seconds(15);
constexpr uint64_t kKeptMs = 24ULL * 3600 * 1000;

std::string folder_of_heads(const std::string& log_folder) {
  return log_folder + "/heads";
}

struct HeadsOfLog {
  // Of the files that there are, by name: the last entry that names it.
  std::map<std::string, std::pair<uint64_t, uint64_t>> files;  // index, Unix ms
  std::map<RecordingName, uint64_t> kept;                      // index of the start
};

HeadsOfLog list_files(const std::string& folder) {
  HeadsOfLog heads;
  std::error_code ignored;
  for (std::filesystem::directory_iterator file(folder, ignored), end; !ignored && file != end;
       file.increment(ignored)) {
    heads.files.emplace(file->path().filename().string(), std::pair(UINT64_MAX, UINT64_MAX));
  }
  return heads;
}

Status read_entries(const std::string& log_folder, uint64_t log_size, HeadsOfLog& heads) {
  uint64_t index = 0;
  return for_each_entry(log_folder, log_size, [&](const LogEntry& entry) {
    if (entry.kind == LogEntry::Kind::start) {
      heads.kept.emplace(entry.recording, index);
    } else if (entry.kind == LogEntry::Kind::erase) {
      heads.kept.erase(entry.recording);
    } else if (const auto file = heads.files.find(to_hex(entry.hash));
               entry.kind == LogEntry::Kind::heads && file != heads.files.end()) {
      file->second = {index, entry.time_ms};
    }
    ++index;
  });
}

}  // namespace

void HeadsEntries::enter(const RecordingHead& head) {
  moved_[head.recording] = head;
  if (!std::exchange(is_due_, true)) {
    loop_.call_after(kInterval, [this] { write(); });
  }
}

void HeadsEntries::write() {
  is_due_ = false;
  std::vector<RecordingHead> heads;
  for (const auto& [name, head] : std::exchange(moved_, {})) {
    heads.push_back(head);
  }
  if (heads.empty()) {
    return;
  }
  LogEntry entry;
  entry.kind = LogEntry::Kind::heads;
  entry.time_ms = unix_ms();
  entry.count = heads.size();
  const std::string text = heads_text(std::move(heads));
  entry.hash = sha256(as_bytes(text));
  const std::string folder = folder_of_heads(log_.folder());
  ::mkdir(folder.c_str(), 0750);
  Status done = replace_file(folder + "/" + to_hex(entry.hash), text);
  if (done) {
    done = log_.append({entry});
  }
  if (!done) {  // the next ones will say more
    log_error("the heads of the recordings are not in the log", {{"why", done.error().message}});
  }
}

void remove_old_heads_files(const std::string& log_folder, uint64_t log_size) {
  const std::string folder = folder_of_heads(log_folder);
  HeadsOfLog heads = list_files(folder);
  if (const Status read = read_entries(log_folder, log_size, heads); !read) {
    return log_warning("old heads files stay", {{"why", read.error().message}});
  }
  uint64_t first_kept = UINT64_MAX;
  for (const auto& [name, start] : heads.kept) {
    first_kept = std::min(first_kept, start);
  }
  const uint64_t now_ms = unix_ms();
  for (const auto& [name, entry] : heads.files) {
    const auto [index, time_ms] = entry;
    if (index < first_kept && now_ms > time_ms && now_ms - time_ms > kKeptMs) {
      ::unlink((folder + "/" + name).c_str());
    }
  }
}

}  // namespace sallyport::stored
