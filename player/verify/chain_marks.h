// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/evidence/log_reader.h"

#include <optional>
#include <vector>

namespace sallyport {

// The heads that the log has of one recording, compared while its chain is computed.
class ChainMarks {
public:
  struct Mark {
    uint64_t index = 0;  // in the log
    uint64_t frames = 0;
    Sha256Digest head{};
  };

  explicit ChainMarks(const LoggedRecording* logged);
  void watch(uint64_t frames, const Sha256Digest& head);

  uint64_t matched() const { return matched_; }
  const std::optional<Mark>& last_match() const { return last_match_; }
  const std::optional<Mark>& mismatch() const { return mismatch_; }  // the first
  // The longest that the log has and the file has not.
  std::optional<Mark> beyond(uint64_t frames) const;

private:
  std::vector<Mark> marks_;  // by frames
  size_t next_ = 0;
  uint64_t matched_ = 0;
  std::optional<Mark> last_match_;
  std::optional<Mark> mismatch_;
};

}  // namespace sallyport
