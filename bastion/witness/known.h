// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/witness/witness.h"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::witness {

// What somebody who keeps notes knows of a log: the largest of its checkpoints in this text. Those
// that are damaged, and those of other logs, are passed over.
struct Known {
  std::string note;
  Checkpoint checkpoint;
  bool of_another_key = false;  // the log's name, and not signed by its key
};
std::optional<Known> find_known(std::string_view text, const NoteVerifier& verifier);

// Why the log must not go on from here: it does not continue what is known. None where it does.
// `silent` where no proof was to be had.
std::optional<WitnessSays> contradiction(const Known& known, const SignedLog& log);

// The largest checkpoint of one log that anybody has shown as long as we run.
class LargestKnown {
public:
  // All that a text has; of another log than before: forgets the other one's.
  void take(std::string_view text, const NoteVerifier& verifier);
  bool is_of(const NoteVerifier& verifier) const { return of_ == verifier; }
  bool is_any() const { return known_.has_value(); }
  bool is(const Checkpoint& checkpoint) const { return known_ && known_->checkpoint == checkpoint; }
  std::optional<WitnessSays> contradiction(const SignedLog& log) const;

private:
  std::optional<Known> known_;
  NoteVerifier of_;
};

}  // namespace sallyport::witness
