// SPDX-License-Identifier: Apache-2.0
//
// The Merkle tree of RFC 6962, section 2.1: hashes, proofs, and their checking (RFC 9162, sections
// 2.1.3.2 and 2.1.4.2). Where the hashes come from is the caller's: a function gives the root of a
// perfect subtree.
#pragma once

#include "shared/base/result.h"
#include "shared/crypto/sha256.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace sallyport {

using MerkleProof = std::vector<Sha256Digest>;

Sha256Digest leaf_hash(std::span<const uint8_t> entry);
Sha256Digest node_hash(const Sha256Digest& left, const Sha256Digest& right);
Sha256Digest empty_tree_root();
// Of a perfect subtree: a power of two of hashes.
Sha256Digest perfect_root(std::span<const Sha256Digest> hashes);

// The root of the perfect subtree over the leaves [index << level, (index + 1) << level).
using SubtreeHash = std::function<Result<Sha256Digest>(unsigned level, uint64_t index)>;

Result<Sha256Digest> tree_root(uint64_t size, const SubtreeHash& hashes);
// index < size.
Result<MerkleProof> inclusion_proof(uint64_t index, uint64_t size, const SubtreeHash& hashes);
// old_size <= size; empty where they are equal, or old_size is 0.
Result<MerkleProof> consistency_proof(uint64_t old_size, uint64_t size, const SubtreeHash& hashes);

bool proves_inclusion(const MerkleProof& proof, uint64_t index, uint64_t size,
                      const Sha256Digest& leaf, const Sha256Digest& root);
bool proves_consistency(const MerkleProof& proof, uint64_t old_size, const Sha256Digest& old_root,
                        uint64_t size, const Sha256Digest& root);

// A tree that only grows, by its right edge: one hash per perfect subtree, at most 64.
class MerkleFrontier {
public:
  void append(const Sha256Digest& leaf);
  uint64_t size() const { return size_; }
  Sha256Digest root() const;

private:
  uint64_t size_ = 0;
  std::vector<Sha256Digest> subtrees_;  // of the bits that are set in size_, the largest first
};

}  // namespace sallyport
