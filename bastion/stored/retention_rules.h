// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/config.h"
#include "shared/recording/file_name.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sallyport::stored {

// What the configuration says of how long recordings are kept.
struct RetentionRules {
  RetentionConfig all;
  uint32_t keystrokes_days = 0;
  std::map<std::string, RetentionConfig> roles;  // that say something
  std::map<std::string, RetentionConfig> targets;
};
RetentionRules retention_rules(const Config& config);

struct KeptRecording {
  RecordingName name;
  uint64_t over_ms = 0;  // Unix, of its end; 0: it still runs
  uint64_t bytes = 0;    // of the file
  std::string target;
  std::string roles;  // "operators,readers"
  bool held = false;
};

struct DueRecordings {
  std::string rule;  // "roles.interns.retention_days is 90"
  std::vector<RecordingName> recordings;
};

// Which of these, newest first, are to be deleted, each once. What runs and what is held is never.
// Age: what the target says; else the most that any of the recording's roles says; else
// recording.retention_days. For what was typed recording.keystrokes.retention_days comes first.
// Size: each limit for itself, over all that it is about; what is held or runs counts, and what has
// ended within a day stays: nobody can print so much that their own session goes unseen.
std::vector<DueRecordings> due_recordings(std::span<const KeptRecording> newest_first,
                                          const RetentionRules& rules, uint64_t now_ms);

}  // namespace sallyport::stored
