// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/verify/findings.h"
#include "shared/crypto/age_keys.h"
#include "shared/evidence/log_reader.h"
#include "shared/recording/file_name.h"
#include "shared/recording/source.h"
#include "shared/recording/verify.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace sallyport {

using OpenSource = std::function<Result<std::unique_ptr<ByteSource>>()>;
OpenSource open_path(const std::string& path);

struct FileVerdict {
  std::string id;                         // of the recording: by its name, or else by its header
  std::string file;                       // empty: there is none
  std::optional<RecordingReport> report;  // none: no recording, or changed
  std::string state;                      // "closed", "killed", "running", "erased", "not logged"
  Findings findings;
};

// By whose order and why, where that can be read.
std::string order_words(const LoggedRecording::Erasure& erasure);

// What the log says against itself about this recording.
void add_faults_of(const RecordingName& name, const LogContents& log, Findings& findings);

// A recording against itself, and against the log where there is one. `name` is what the file's
// name says, where that is the name of a recording.
FileVerdict check_file(const std::string& file, const OpenSource& open,
                       const std::optional<RecordingName>& name, const LogContents* log,
                       std::span<const AgeIdentity> identities);

}  // namespace sallyport
