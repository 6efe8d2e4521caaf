// SPDX-License-Identifier: Apache-2.0
#include "player/locate.h"

#include "shared/base/printable.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <vector>

namespace sallyport {

namespace {

namespace fs = std::filesystem;

constexpr size_t kMinDigits = 6;
constexpr size_t kMaxListed = 20;

struct Wanted {
  std::string digits;
  std::optional<uint32_t> channel;
  RecordingPart part = RecordingPart::channel;
};

std::optional<Wanted> parse_wanted(std::string name) {
  Wanted wanted;
  if (name.ends_with('k')) {
    wanted.part = RecordingPart::keystrokes;
    name.pop_back();
  }
  const size_t dash = name.find('-');
  wanted.digits = name.substr(0, dash);
  for (char& c : wanted.digits) {
    c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (wanted.digits.size() < kMinDigits || wanted.digits.size() > 32 ||
      wanted.digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  if (dash != std::string::npos) {
    uint32_t channel = 0;
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + dash + 1, end, channel);
    if (parsed.ec != std::errc{} || parsed.ptr != end) {
      return std::nullopt;
    }
    wanted.channel = channel;
  }
  return wanted;
}

Result<std::vector<RecordingName>> matching(const Wanted& wanted, const std::string& folder) {
  std::error_code failed;
  std::vector<RecordingName> found;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto name = parse_recording_file_name(entry->path().filename().string());
    if (name && name->part == wanted.part && name->session.hex().starts_with(wanted.digits) &&
        (!wanted.channel || name->channel == *wanted.channel)) {
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
  size_t digits = kMinDigits;
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
  const auto wanted = parse_wanted(name);
  return wanted && recording.session.hex().starts_with(wanted->digits) &&
         (!wanted->channel ||
          (*wanted->channel == recording.channel && wanted->part == recording.part)) &&
         (wanted->part == RecordingPart::channel || wanted->part == recording.part);
}

Result<std::string> locate_recording(const std::string& name, const std::string& folder) {
  std::error_code ignored;
  if (fs::exists(name, ignored)) {
    return name;
  }
  const auto wanted = parse_wanted(name);
  if (!wanted) {
    return Error{Errc::not_found, printable(name) +
                                      " is neither a file nor the beginning of a session id (at "
                                      "least 6 hexadecimal digits)"};
  }
  const auto found = matching(*wanted, folder);
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
  const auto found = matching({"", std::nullopt, part}, folder);
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
