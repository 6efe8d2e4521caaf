// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/evidence/checkpoint.h"
#include "shared/evidence/tiles.h"

#include <string>

namespace sallyport::stored {

// What keyd has signed of the node log, and with which key.
struct SignedLog {
  NoteVerifier verifier;
  std::string note;  // the last checkpoint; empty: none, or keyd has lost it
  std::string lost;  // why it has lost it
};

// The later of keyd's checkpoint and `ours`, which may be empty: a crash leaves ours a step behind,
// and a keyd that came from a backup has an old one. Errc::denied: one is not signed by this key.
struct LatestNote {
  std::string note;  // empty: nothing was signed yet
  Checkpoint checkpoint;
};
Result<LatestNote> latest_note(const SignedLog& keyd, const std::string& ours);

// Asks keyd; blocks, up to kPatience for each answer, so not for a loop's thread. A connection per
// question: it is one a second at most.
class CheckpointSigner {
public:
  static constexpr int kPatienceMs = 2'000;

  explicit CheckpointSigner(std::string socket) : socket_(std::move(socket)) {}
  Result<SignedLog> state() const;

  // The checkpoint of this tree, signed. Its files are written. `ours`: the note that stored has,
  // for a keyd that has lost its own. Errc::denied: the tree does not continue what was signed.
  Result<std::string> sign(const std::string& log_folder, const Checkpoint& tree,
                           const std::string& ours) const;

private:
  std::string socket_;
};

}  // namespace sallyport::stored
