// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/merkle.h"

#include <bit>

namespace sallyport {

namespace {

constexpr uint8_t kLeaf = 0;
constexpr uint8_t kNode = 1;

// Leaves [begin, end), where begin is a multiple of the smallest power of two that holds them.
struct Range {
  uint64_t begin;
  uint64_t end;
  uint64_t size() const { return end - begin; }
  bool is_perfect() const { return std::has_single_bit(size()); }
  // RFC 6962: the largest power of two below the size.
  uint64_t middle() const { return begin + std::bit_floor(size() - 1); }
};

Result<Sha256Digest> range_root(const Range& range, const SubtreeHash& hashes) {
  if (range.is_perfect()) {
    const auto level = static_cast<unsigned>(std::countr_zero(range.size()));
    return hashes(level, range.begin >> level);
  }
  const auto left = range_root({range.begin, range.middle()}, hashes);
  if (!left) {
    return left;
  }
  const auto right = range_root({range.middle(), range.end}, hashes);
  return right ? Result(node_hash(*left, *right)) : right;
}

Status add_root(MerkleProof& proof, const Range& range, const SubtreeHash& hashes) {
  const auto root = range_root(range, hashes);
  if (!root) {
    return root.error();
  }
  proof.push_back(*root);
  return ok();
}

// RFC 6962, section 2.1.1: PATH(m, D[n]).
Status add_path(MerkleProof& proof, uint64_t index, const Range& range, const SubtreeHash& hashes) {
  if (range.size() == 1) {
    return ok();
  }
  const Range left{range.begin, range.middle()};
  const Range right{range.middle(), range.end};
  const bool in_left = index < left.end;
  if (Status deeper = add_path(proof, index, in_left ? left : right, hashes); !deeper) {
    return deeper;
  }
  return add_root(proof, in_left ? right : left, hashes);
}

// RFC 6962, section 2.1.2: SUBPROOF(m, D[n], b).
Status add_subproof(MerkleProof& proof, uint64_t old_end, const Range& range, bool is_known,
                    const SubtreeHash& hashes) {
  if (old_end == range.end) {
    return is_known ? ok() : add_root(proof, range, hashes);
  }
  const Range left{range.begin, range.middle()};
  const Range right{range.middle(), range.end};
  const bool in_left = old_end <= left.end;
  Status deeper = in_left ? add_subproof(proof, old_end, left, is_known, hashes)
                          : add_subproof(proof, old_end, right, false, hashes);
  if (!deeper) {
    return deeper;
  }
  return add_root(proof, in_left ? right : left, hashes);
}

Result<MerkleProof> done(MerkleProof proof, const Status& status) {
  return status ? Result(std::move(proof)) : Result<MerkleProof>(status.error());
}

}  // namespace

Sha256Digest leaf_hash(std::span<const uint8_t> entry) {
  return Sha256().update({&kLeaf, 1}).update(entry).finish();
}

Sha256Digest node_hash(const Sha256Digest& left, const Sha256Digest& right) {
  return Sha256().update({&kNode, 1}).update(left).update(right).finish();
}

Sha256Digest empty_tree_root() {
  return sha256({});
}

Sha256Digest perfect_root(std::span<const Sha256Digest> hashes) {
  if (hashes.size() == 1) {
    return hashes[0];
  }
  const size_t half = hashes.size() / 2;
  return node_hash(perfect_root(hashes.first(half)), perfect_root(hashes.subspan(half)));
}

Result<Sha256Digest> tree_root(uint64_t size, const SubtreeHash& hashes) {
  return size == 0 ? Result(empty_tree_root()) : range_root({0, size}, hashes);
}

Result<MerkleProof> inclusion_proof(uint64_t index, uint64_t size, const SubtreeHash& hashes) {
  if (index >= size) {
    return Error{Errc::invalid, "the tree has no entry " + std::to_string(index)};
  }
  MerkleProof proof;
  const Status added = add_path(proof, index, {0, size}, hashes);
  return done(std::move(proof), added);
}

Result<MerkleProof> consistency_proof(uint64_t old_size, uint64_t size, const SubtreeHash& hashes) {
  if (old_size > size) {
    return Error{Errc::invalid, "a tree of " + std::to_string(size) +
                                    " entries does not continue one of " +
                                    std::to_string(old_size)};
  }
  MerkleProof proof;
  if (old_size == 0) {
    return proof;
  }
  const Status added = add_subproof(proof, old_size, {0, size}, true, hashes);
  return done(std::move(proof), added);
}

bool proves_inclusion(const MerkleProof& proof, uint64_t index, uint64_t size,
                      const Sha256Digest& leaf, const Sha256Digest& root) {
  if (index >= size) {
    return false;
  }
  uint64_t node = index;
  uint64_t last = size - 1;
  Sha256Digest hash = leaf;
  for (const Sha256Digest& sibling : proof) {
    if (last == 0) {
      return false;
    }
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(sibling, hash);
      for (; (node & 1) == 0 && node != 0; node >>= 1) {
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

bool proves_consistency(const MerkleProof& proof, uint64_t old_size, const Sha256Digest& old_root,
                        uint64_t size, const Sha256Digest& root) {
  if (old_size == 0) {
    return proof.empty() && old_root == empty_tree_root() && (size != 0 || root == old_root);
  }
  if (old_size >= size) {
    return old_size == size && proof.empty() && old_root == root;
  }
  if (proof.empty()) {
    return false;
  }
  uint64_t node = old_size - 1;
  uint64_t last = size - 1;
  for (; (node & 1) != 0; node >>= 1) {
    last >>= 1;
  }
  // A perfect old tree is itself the first node.
  const bool is_perfect = std::has_single_bit(old_size);
  Sha256Digest old_hash = is_perfect ? old_root : proof.front();
  Sha256Digest new_hash = old_hash;
  for (size_t i = is_perfect ? 0 : 1; i < proof.size(); ++i) {
    if (last == 0) {
      return false;
    }
    if ((node & 1) != 0 || node == last) {
      old_hash = node_hash(proof[i], old_hash);
      new_hash = node_hash(proof[i], new_hash);
      for (; (node & 1) == 0 && node != 0; node >>= 1) {
        last >>= 1;
      }
    } else {
      new_hash = node_hash(new_hash, proof[i]);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == old_root && new_hash == root;
}

void MerkleFrontier::append(const Sha256Digest& leaf) {
  Sha256Digest hash = leaf;
  for (uint64_t carry = size_; (carry & 1) != 0; carry >>= 1) {
    hash = node_hash(subtrees_.back(), hash);
    subtrees_.pop_back();
  }
  subtrees_.push_back(hash);
  ++size_;
}

Sha256Digest MerkleFrontier::root() const {
  if (subtrees_.empty()) {
    return empty_tree_root();
  }
  Sha256Digest hash = subtrees_.back();
  for (size_t i = subtrees_.size() - 1; i > 0; --i) {
    hash = node_hash(subtrees_[i - 1], hash);
  }
  return hash;
}

}  // namespace sallyport
