// SPDX-License-Identifier: Apache-2.0
#include "player/event_source.h"

#include "player/files.h"
#include "player/readable_keys.h"
#include "player/saved_header.h"
#include "shared/base/printable.h"
#include "shared/base/recording_part.h"
#include "shared/base/unique_fd.h"
#include "shared/recording/format.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

constexpr const char* kKeystrokes = name_of(RecordingPart::keystrokes);

}  // namespace

bool is_brec_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  std::array<uint8_t, brec::kMagic.size()> start{};
  return fd &&
         ::pread(fd.get(), start.data(), start.size(), 0) == static_cast<ssize_t>(start.size()) &&
         start == brec::kMagic;
}

Result<std::vector<AgeIdentity>> read_identities(const std::vector<std::string>& identity_files) {
  if (identity_files.empty()) {
    return Error{Errc::not_found,
                 "this recording is encrypted: name your age identity file with -i, or as "
                 "\"identity\" in ~/.config/sallyport/play.json"};
  }
  std::vector<AgeIdentity> all;
  for (const std::string& file : identity_files) {
    const Result<SecretBytes> text = read_secret_file(file);
    if (!text) {
      return text.error();
    }
    auto identities = parse_age_identities(text->view());
    if (!identities) {
      return Error{identities.error().code, printable(file) + ": " + identities.error().message};
    }
    std::move(identities->begin(), identities->end(), std::back_inserter(all));
  }
  return all;
}

Error cannot_open(const std::string& path, const Error& error) {
  std::string advice;
  if (error.code == Errc::denied) {
    advice = "; name the right identity file with -i, where it takes two people once for each";
  } else if (error.code == Errc::corrupt && std::filesystem::exists(saved_header_path(path))) {
    advice = "; a `sallyport-play rewrap` of it was interrupted: run that again";
  }
  return Error{error.code, printable(path) + ": " + error.message + advice};
}

void take_header(const AsciicastHeader& header, SourceFacts& facts) {
  facts.header = header;
  facts.columns = static_cast<int>(std::min<uint32_t>(header.cols, kMaxHeaderSize));
  facts.rows = static_cast<int>(std::min<uint32_t>(header.rows, kMaxHeaderSize));
  facts.title = header.title;
  if (header.timestamp && !facts.start_ms && *header.timestamp < INT64_MAX / 1000 &&
      *header.timestamp > 0) {
    facts.start_ms = *header.timestamp * 1000;
  }
  const auto ours = nlohmann::json::parse(header.sallyport, nullptr, false);
  if (ours.is_object() && ours.contains("pty") && ours["pty"].is_boolean()) {
    facts.has_terminal = ours["pty"].get<bool>();
  }
  facts.is_keystrokes = ours.is_object() && ours.contains("part") && ours["part"] == kKeystrokes;
}

Result<std::unique_ptr<EventSource>> open_source(const std::string& path,
                                                 const std::vector<std::string>& identity_files,
                                                 EventForm form) {
  if (!is_brec_file(path)) {
    return open_cast_source(path, form);
  }
  auto identities = read_identities(identity_files);
  if (!identities) {
    return identities.error();
  }
  auto source = open_brec_source(path, std::move(*identities), form);
  return source && form == EventForm::exact && (*source)->facts().is_keystrokes
             ? show_keys(std::move(*source))
             : std::move(source);
}

}  // namespace sallyport
