// SPDX-License-Identifier: Apache-2.0
#include "player/verify/chain_marks.h"

#include <algorithm>

namespace sallyport {

ChainMarks::ChainMarks(const LoggedRecording* logged) {
  if (logged == nullptr) {
    return;
  }
  for (const LoggedHead& head : logged->heads) {
    marks_.push_back({head.index, head.frames, head.head});
  }
  if (logged->end) {
    marks_.push_back({logged->end->index, logged->end->frames, logged->end->head});
  }
  std::stable_sort(marks_.begin(), marks_.end(),
                   [](const Mark& a, const Mark& b) { return a.frames < b.frames; });
}

void ChainMarks::watch(uint64_t frames, const Sha256Digest& head) {
  for (; next_ < marks_.size() && marks_[next_].frames == frames; ++next_) {
    const Mark& mark = marks_[next_];
    if (mark.head == head) {
      ++matched_;
      last_match_ = mark;
    } else if (!mismatch_) {
      mismatch_ = mark;
    }
  }
}

std::optional<ChainMarks::Mark> ChainMarks::beyond(uint64_t frames) const {
  return !marks_.empty() && marks_.back().frames > frames ? std::optional(marks_.back())
                                                          : std::nullopt;
}

}  // namespace sallyport
