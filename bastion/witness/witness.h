// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/config.h"
#include "shared/evidence/checkpoint.h"
#include "shared/evidence/merkle.h"
#include "shared/ipc/messages.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sallyport::witness {

// The log as stored tells it.
struct SignedLog {
  NoteVerifier verifier;
  std::string note;                      // empty: nothing is signed yet
  std::optional<Checkpoint> checkpoint;  // of the note
  // The proof that the tree of `size` continues that of `old_size`. Blocks.
  std::function<Result<MerkleProof>(uint64_t old_size, uint64_t size)> prove;
};

// One who remembers checkpoints. Used by one thread at a time, which may be held for half a minute.
class Witness {
public:
  virtual ~Witness() = default;

  // Finds out what it knows, and gives it the checkpoint if that continues it. The answer's name is
  // left to the caller.
  virtual WitnessSays show(const SignedLog& log) = 0;

  // From another thread: show() shall end soon.
  virtual void cancel() {}
};

// By its kind.
std::shared_ptr<Witness> make_witness(const WitnessConfig& config);

WitnessSays silent(std::string why);
WitnessSays taken(const SignedLog& log);
// What there is to say when there is nothing to give.
WitnessSays nothing();

}  // namespace sallyport::witness
