// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/crypto/sha256.h"
#include "shared/recording/file_name.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// One line of the node log (docs/formats/log.md). No personal data: identifiers, times and hashes.
struct LogEntry {
  enum class Kind { start, heads, end, audit, erase };
  Kind kind = Kind::start;
  uint64_t time_ms = 0;     // Unix
  RecordingName recording;  // start, end, erase
  uint64_t count = 0;       // end: frames; heads: lines of the heads file
  // start, end: the head of the recording's chain. heads: of the heads file. audit: of salt and
  // event. erase: of the order.
  Sha256Digest hash{};
  std::string reason;  // end: one of end_reasons

  bool operator==(const LogEntry&) const = default;
};

inline constexpr size_t kMaxLogEntryBytes = 512;

std::string log_entry_text(const LogEntry& entry);
// Takes what log_entry_text() writes and nothing else.
Result<LogEntry> parse_log_entry(std::string_view text);

// "closed", "client", "killed", ...: why a recording ended, as the log has it.
bool is_end_reason(std::string_view reason);

// The lines of a heads file.
struct RecordingHead {
  RecordingName recording;
  uint64_t frames = 0;
  Sha256Digest head{};
  bool operator==(const RecordingHead&) const = default;
};
// Sorts them; of each recording there is one.
std::string heads_text(std::vector<RecordingHead> heads);
// Takes what heads_text() writes and nothing else.
Result<std::vector<RecordingHead>> parse_heads(std::string_view text);

}  // namespace sallyport
