// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/verify/findings.h"
#include "shared/evidence/log_reader.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// A checkpoint that somebody else kept, and where it was read.
struct KeptCheckpoint {
  std::string from;  // "FILE, checkpoint 2"
  std::string note;
};

// Files of signed checkpoints, one after the other; blank lines may stand between them.
Result<std::vector<KeptCheckpoint>> read_kept_checkpoints(const std::vector<std::string>& files);

// The verifier's key itself, or a file that has it.
Result<NoteVerifier> read_log_key(const std::string& text_or_file);

struct LogRequest {
  std::string folder;
  std::optional<NoteVerifier> key;
  std::vector<KeptCheckpoint> kept;
  std::function<bool(const RecordingName&)> wants_heads;
  bool every_heads_file = false;
  bool alone = false;  // what is wrong with single recordings is said here, too
};

// `contents` is empty where there is no log at all; `findings` says what that means. What is wrong
// with single recordings stays in contents->faults_of, unless the log is looked at alone.
struct CheckedLog {
  std::optional<LogContents> contents;
  Findings findings;
};
CheckedLog check_log(const LogRequest& request);

// The signature of a checkpoint, by a key that may not be known.
void check_signature(const std::string& note, const std::optional<NoteVerifier>& key,
                     Findings& findings);

// A kept checkpoint with one of which nothing but the root is known.
void compare_same_size(const KeptCheckpoint& kept, const LogContents& contents,
                       const std::optional<NoteVerifier>& key, Findings& findings);

}  // namespace sallyport
