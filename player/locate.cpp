// SPDX-License-Identifier: Apache-2.0
#include "player/locate.h"

#include "shared/base/printable.h"
#include "shared/recording/wanted_recordings.h"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace sallyport {

namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxListed = 20;

// Of one part: what was typed is asked for by its own name.
Result<std::vector<RecordingName>> matching(const WantedRecordings& wanted, RecordingPart part,
                                            const std::string& folder) {
  std::error_code failed;
  std::vector<RecordingName> found;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto name = parse_recording_file_name(entry->path().filename().string());
    if (name && name->part == part && wanted.has(*name)) {
      found.push_back(*name);
    }
  }
  if (failed) {
    return Error{Errc::io, "cannot read the recordings in " + printable(folder) + ": " +
                               failed.message() + "; name the folder with --recordings"};
  }
  std::sort(found.begin(), found.end());
  return found;
}

// The shortest beginning that only this session has.
std::string short_id(const RecordingName& name, const std::vector<RecordingName>& all) {
  const std::string hex = name.session.hex();
  size_t digits = kMinSessionDigits;
  const auto ambiguous = [&](const RecordingName& other) {
    return other.session != name.session &&
           other.session.hex().substr(0, digits) == hex.substr(0, digits);
  };
  while (digits < hex.size() && std::any_of(all.begin(), all.end(), ambiguous)) {
    ++digits;
  }
  return hex.substr(0, std::max<size_t>(digits, 8));
}

std::string path_in(const std::string& folder, const RecordingName& name) {
  return (fs::path(folder) / recording_file_name(name)).string();
}

Error several(const std::vector<RecordingName>& found) {
  const bool one_session = found.front().session == found.back().session;
  std::string text = one_session ? "this session has several channels; name one of them:"
                                 : "several sessions begin like this; name one of them:";
  for (size_t i = 0; i < found.size() && i < kMaxListed; ++i) {
    text += "\n  " + short_id(found[i], found) + "-" + std::to_string(found[i].channel) +
            (found[i].part == RecordingPart::keystrokes ? "k" : "");
  }
  if (found.size() > kMaxListed) {
    text += "\n  and " + std::to_string(found.size() - kMaxListed) + " more";
  }
  return {Errc::invalid, text};
}

}  // namespace

bool is_named(const RecordingName& recording, const std::string& name) {
  const auto wanted = parse_wanted_recordings(name);
  return wanted && wanted->has(recording);
}

Result<std::string> locate_recording(const std::string& name, const std::string& folder) {
  std::error_code ignored;
  if (fs::exists(name, ignored)) {
    return name;
  }
  const auto wanted = parse_wanted_recordings(name);
  if (!wanted) {
    return Error{Errc::not_found, printable(name) +
                                      " is neither a file nor the beginning of a session id (at "
                                      "least 6 hexadecimal digits)"};
  }
  const auto found = matching(*wanted, wanted->part.value_or(RecordingPart::channel), folder);
  if (!found) {
    return found.error();
  }
  if (found->empty()) {
    return Error{Errc::not_found, "no recording in " + printable(folder) + " begins with " +
                                      printable(name) + "; name the folder with --recordings"};
  }
  if (found->size() > 1) {
    return several(*found);
  }
  return path_in(folder, found->front());
}

Result<std::vector<std::string>> all_recordings(const std::string& folder, RecordingPart part) {
  const auto found = matching({}, part, folder);
  if (!found) {
    return found.error();
  }
  std::vector<std::string> paths;
  for (const RecordingName& name : *found) {
    paths.push_back(path_in(folder, name));
  }
  return paths;
}

}  // namespace sallyport
