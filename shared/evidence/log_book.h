// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/evidence/log_reader.h"

namespace sallyport {

// Takes the entries of a log one after the other and says what contradicts what came before.
class LogBook {
public:
  LogBook(const std::string& folder, const LogQuestions& questions, LogContents& contents)
      : folder_(folder), questions_(questions), contents_(contents) {}

  void take(uint64_t index, const LogEntry& entry);
  void fault(std::optional<RecordingName> recording, std::string text);
  // After the last entry: what could not be judged before.
  void finish();

private:
  void take_start(const LogPlace& place, const LogEntry& entry);
  void take_heads(const LogPlace& place, const LogEntry& entry);
  void take_head(const LogPlace& place, const RecordingHead& head);
  void take_end(const LogPlace& place, const LogEntry& entry);
  void take_erasure(const LogPlace& place, const LogEntry& entry);
  bool wants(const RecordingName& name) const;
  Result<std::shared_ptr<const SignedErasureOrder>> read_order(const Sha256Digest& hash);

  const std::string& folder_;
  const LogQuestions& questions_;
  LogContents& contents_;
  uint64_t last_ms_ = 0;
  std::vector<std::pair<uint64_t, std::string>> missing_heads_;  // entry, what is missing
  std::pair<Sha256Digest, std::shared_ptr<const SignedErasureOrder>> last_order_;
  uint64_t wanted_running_ = 0;  // recordings whose heads are kept, and that have not ended
};

}  // namespace sallyport
