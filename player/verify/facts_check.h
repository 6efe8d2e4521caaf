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

// The entry that has this hash.
std::optional<uint64_t> find_audit(const LogContents& log, const Sha256Digest& hash);

// facts/<recording>.json beside the log's folder, where it is there.
std::string facts_path(const std::string& log_folder, const std::string& recording);
void check_facts(const std::string& log_folder, const std::string& recording,
                 const LogContents& log, Findings& findings);

}  // namespace sallyport
