// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/verify/findings.h"
#include "shared/evidence/log_reader.h"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// Who, where, by which key (facts_file.h): proven by an audit entry of their hash.
struct RecordedFacts {
  Sha256Digest hash{};
  std::string event;
};
// Errc::corrupt, too: those of another recording.
Result<RecordedFacts> parse_recorded_facts(std::string_view text, const std::string& recording);

// Facts are logged with their recording's start, right behind it: an audit entry of the same hash
// elsewhere was appended later.
inline uint64_t facts_index(const LoggedRecording::Start& start) {
  return start.index + 1;
}
bool has_facts(const LogContents& log, const LoggedRecording::Start& start,
               const Sha256Digest& hash);

// facts/<recording>.json beside the log's folder, where it is there.
std::string facts_path(const std::string& log_folder, const std::string& recording);
void check_facts(const std::string& log_folder, const std::string& recording,
                 const LogContents& log, Findings& findings);

}  // namespace sallyport
