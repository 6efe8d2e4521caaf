// SPDX-License-Identifier: Apache-2.0
#include "player/event_source.h"

#include "player/files.h"
#include "shared/base/printable.h"
#include "shared/base/unique_fd.h"
#include "shared/recording/format.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace sallyport {

bool is_brec_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<uint8_t, brec::kMagic.size()> start{};
  return fd &&
         ::pread(fd.get(), start.data(), start.size(), 0) == static_cast<ssize_t>(start.size()) &&
         start == brec::kMagic;
}

Result<std::vector<AgeIdentity>> read_identities(const std::string& identity_file) {
  if (identity_file.empty()) {
    return Error{Errc::not_found,
                 "this recording is encrypted: name your age identity file with -i, or as "
                 "\"identity\" in ~/.config/sallyport/play.json"};
  }
  Result<SecretBytes> text = read_secret_file(identity_file);
  if (!text) {
    return text.error();
  }
  Result<std::vector<AgeIdentity>> identities = parse_age_identities(text->view());
  if (!identities) {
    return Error{identities.error().code,
                 printable(identity_file) + ": " + identities.error().message};
  }
  return identities;
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
}

Result<std::unique_ptr<EventSource>> open_source(const std::string& path,
                                                 const std::string& identity_file, EventForm form) {
  if (!is_brec_file(path)) {
    return open_cast_source(path, form);
  }
  auto identities = read_identities(identity_file);
  if (!identities) {
    return identities.error();
  }
  return open_brec_source(path, std::move(*identities), form);
}

}  // namespace sallyport
