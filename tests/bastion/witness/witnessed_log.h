// SPDX-License-Identifier: Apache-2.0
//
// A log as stored tells of it: signed trees, and proofs between them.
#pragma once

#include "bastion/witness/witness.h"
#include "tests/shared/evidence/note_signer.h"
#include "tests/shared/evidence/test_tree.h"

#include <string>

namespace sallyport::test {

class WitnessedLog {
public:
  // Trees of different words are forks of each other.
  explicit WitnessedLog(const NoteSigner& signer, uint64_t size, std::string_view word = "entry")
      : signer_(signer), tree_(size, word) {}

  std::string note(uint64_t size) const { return signer_.note(size, tree_.root(size)); }
  witness::SignedLog at(uint64_t size) const {
    return {signer_.verifier(), note(size),
            Checkpoint{signer_.verifier().name, size, tree_.root(size)},
            [this](uint64_t old_size, uint64_t new_size) {
              return Result(tree_.consistency(old_size, new_size));
            }};
  }
  witness::SignedLog unsigned_yet() const { return {signer_.verifier(), "", std::nullopt, {}}; }

private:
  const NoteSigner& signer_;
  TestTree tree_;
};

}  // namespace sallyport::test
