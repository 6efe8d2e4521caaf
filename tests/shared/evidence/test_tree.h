// SPDX-License-Identifier: Apache-2.0
//
// A tree in memory, all of its leaves at hand.
#pragma once

#include "shared/base/hex.h"
#include "shared/evidence/merkle.h"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::test {

class TestTree {
public:
  // `size` entries "<word> 0", "<word> 1", ...; trees of one word continue each other.
  explicit TestTree(uint64_t size = 0, std::string_view word = "entry") {
    for (uint64_t i = 0; i < size; ++i) {
      add(std::string(word) + " " + std::to_string(i));
    }
  }
  void add(std::string_view entry) { leaves_.push_back(leaf_hash(as_bytes(entry))); }

  uint64_t size() const { return leaves_.size(); }
  const Sha256Digest& leaf(uint64_t index) const { return leaves_[index]; }
  Sha256Digest root(uint64_t size) const { return *tree_root(size, subtrees()); }
  Sha256Digest root() const { return root(size()); }
  MerkleProof inclusion(uint64_t index, uint64_t size) const {
    return *inclusion_proof(index, size, subtrees());
  }
  MerkleProof consistency(uint64_t old_size, uint64_t size) const {
    return *consistency_proof(old_size, size, subtrees());
  }

  SubtreeHash subtrees() const {
    return [this](unsigned level, uint64_t index) -> Result<Sha256Digest> {
      return perfect_root(std::span(leaves_).subspan(index << level, size_t{1} << level));
    };
  }

private:
  std::vector<Sha256Digest> leaves_;
};

}  // namespace sallyport::test
