// SPDX-License-Identifier: Apache-2.0
#include "player/verify/folder_check.h"

#include "player/bar.h"
#include "player/event_source.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace sallyport {

namespace {

namespace fs = std::filesystem;

// Of faults about recordings that are neither in the folder nor, by a start or an end, in the log.
std::set<RecordingName> only_in_faults(const LogContents& log) {
  std::set<RecordingName> names;
  for (const auto& [name, faults] : log.faults_of) {
    if (!log.recordings.contains(name)) {
      names.insert(name);
    }
  }
  return names;
}

FileVerdict other_file(const std::string& path, const std::string& name, const LogContents* log,
                       std::span<const AgeIdentity> identities) {
  FileVerdict verdict;
  if (is_brec_file(path)) {
    verdict = check_file(path, open_path(path), std::nullopt, log, identities);
    verdict.findings.add(Level::wrong, "It stands under a name that is not its own, " +
                                           printable(name) + ": renamed, or a copy");
    return verdict;
  }
  verdict.id = printable(name);
  verdict.file = path;
  verdict.state = "foreign";
  verdict.findings.add(name.ends_with(".brec") ? Level::wrong : Level::note,
                       "This file is not a recording");
  return verdict;
}

}  // namespace

Result<FolderListing> list_folder(const std::string& folder) {
  FolderListing listing;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code ignored;
    const std::string file = entry->path().filename().string();
    const auto name = parse_recording_file_name(file);
    if (name) {
      listing.recordings.insert(*name);
    } else if (!entry->is_directory(ignored)) {
      listing.others.push_back(file);
    }
  }
  if (failed) {
    return Error{Errc::io, "cannot read the recordings in " + printable(folder) + ": " +
                               failed.message() + "; name the folder with --recordings"};
  }
  std::sort(listing.others.begin(), listing.others.end());
  return listing;
}

FileVerdict verdict_of_missing(const RecordingName& name, const LogContents& log) {
  FileVerdict verdict;
  verdict.id = recording_id(name);
  verdict.state = "missing";
  const auto known = log.recordings.find(name);
  if (known != log.recordings.end() && known->second.start) {
    const LoggedRecording& logged = known->second;
    const std::string started = "its start was logged " +
                                wall_clock_text(static_cast<int64_t>(logged.start->time_ms), true) +
                                " (entry " + std::to_string(logged.start->index) + ")";
    if (logged.erasure && !logged.deletion) {
      verdict.state = "missing";
      verdict.findings.add(Level::wrong, "Its file is missing: " + started +
                                             ", and only its key was to be erased, by " +
                                             order_words(*logged.erasure));
    } else if (logged.deletion) {
      verdict.state = "erased";
      verdict.findings.add(Level::note, "Its file is gone; " + started + ", and its erasure by " +
                                            order_words(*logged.deletion) + " in entry " +
                                            std::to_string(logged.deletion->index));
    } else {
      const std::string ended =
          logged.end ? ", its end with " + std::to_string(logged.end->frames) + " frames" : "";
      verdict.findings.add(
          Level::wrong, "Its file is missing: " + started + ended + ", and no erasure of it was");
    }
  }
  add_faults_of(name, log, verdict.findings);
  return verdict;
}

void check_folder(const std::string& folder, const FolderListing& listing, const LogContents* log,
                  std::span<const AgeIdentity> identities, const TakeVerdict& take) {
  std::set<RecordingName> all = listing.recordings;
  if (log != nullptr) {
    for (const auto& [name, logged] : log->recordings) {
      all.insert(name);
    }
    all.merge(only_in_faults(*log));
  }
  for (const RecordingName& name : all) {
    const std::string path = folder + "/" + recording_file_name(name);
    // Looked at now: a file may have come since the listing.
    if (listing.recordings.contains(name) || ::access(path.c_str(), F_OK) == 0) {
      take(check_file(path, open_path(path), name, log, identities));
    } else {
      take(verdict_of_missing(name, *log));
    }
  }
  for (const std::string& name : listing.others) {
    take(other_file(folder + "/" + name, name, log, identities));
  }
}

}  // namespace sallyport
