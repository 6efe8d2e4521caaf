// SPDX-License-Identifier: Apache-2.0
//
// The checking of proofs against one that follows RFC 6962's definitions step by step, from the
// root down. Input: byte (odd: consistency), u64 index or old size, u64 size, i8 by how many hashes
// the proof is longer than it should be; then the hashes' bytes, from the beginning again when they
// are used up.
#include "shared/evidence/merkle.h"

#include <cstdlib>
#include <cstring>
#include <optional>

using namespace sallyport;

namespace {

using Hashes = std::span<const Sha256Digest>;

struct Roots {
  Sha256Digest old_root;
  Sha256Digest root;
  bool operator==(const Roots&) const = default;
};

uint64_t split(uint64_t size) {
  uint64_t half = 1;
  while (half < size - half) {
    half *= 2;
  }
  return half;
}

std::optional<Sha256Digest> included(uint64_t index, uint64_t size, const Sha256Digest& leaf,
                                     Hashes proof) {
  if (size == 1) {
    return proof.empty() ? std::optional(leaf) : std::nullopt;
  }
  if (proof.empty()) {
    return std::nullopt;
  }
  const uint64_t half = split(size);
  const Hashes inner = proof.first(proof.size() - 1);
  if (index < half) {
    const auto left = included(index, half, leaf, inner);
    return left ? std::optional(node_hash(*left, proof.back())) : std::nullopt;
  }
  const auto right = included(index - half, size - half, leaf, inner);
  return right ? std::optional(node_hash(proof.back(), *right)) : std::nullopt;
}

// `known`: the root of the old tree, where it is a subtree of the new one.
std::optional<Roots> consistent(uint64_t old_size, uint64_t size, const Sha256Digest* known,
                                Hashes proof) {
  if (old_size == size) {
    if (proof.size() != (known == nullptr ? 1 : 0)) {
      return std::nullopt;
    }
    return known == nullptr ? Roots{proof[0], proof[0]} : Roots{*known, *known};
  }
  if (proof.empty()) {
    return std::nullopt;
  }
  const uint64_t half = split(size);
  const Hashes inner = proof.first(proof.size() - 1);
  if (old_size <= half) {
    const auto left = consistent(old_size, half, known, inner);
    return left ? std::optional(Roots{left->old_root, node_hash(left->root, proof.back())})
                : std::nullopt;
  }
  const auto right = consistent(old_size - half, size - half, nullptr, inner);
  return right ? std::optional(Roots{node_hash(proof.back(), right->old_root),
                                     node_hash(proof.back(), right->root)})
               : std::nullopt;
}

// How many hashes a proof has.
size_t inclusion_steps(uint64_t index, uint64_t size) {
  size_t steps = 0;
  for (; size > 1; ++steps) {
    const uint64_t half = split(size);
    if (index < half) {
      size = half;
    } else {
      index -= half;
      size -= half;
    }
  }
  return steps;
}

size_t consistency_steps(uint64_t old_size, uint64_t size) {
  size_t steps = 0;
  bool known = true;
  for (; old_size != size; ++steps) {
    const uint64_t half = split(size);
    if (old_size <= half) {
      size = half;
    } else {
      old_size -= half;
      size -= half;
      known = false;
    }
  }
  return steps + (known ? 0 : 1);
}

MerkleProof hashes_of(std::span<const uint8_t> bytes, size_t count) {
  MerkleProof proof(count);
  size_t at = 0;
  for (Sha256Digest& hash : proof) {
    for (uint8_t& byte : hash) {
      byte = bytes.empty() ? 0 : bytes[at++ % bytes.size()];
    }
  }
  return proof;
}

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

Sha256Digest flipped(Sha256Digest hash) {
  hash[31] ^= 1;
  return hash;
}

// Sizes that a proof for `size` might be passed off for.
std::vector<uint64_t> other_sizes(uint64_t first, uint64_t size) {
  std::vector<uint64_t> sizes = {size - 1,  size + 1,      size / 2,
                                 size * 2,  size * 2 + 1,  size | size >> 1,
                                 first + 1, first * 2 + 1, size ^ size >> 3};
  for (unsigned bit = 0; bit < 64; ++bit) {
    sizes.push_back(size ^ (uint64_t{1} << bit));
  }
  return sizes;
}

void check_inclusion(const MerkleProof& proof, uint64_t index, uint64_t size) {
  const Sha256Digest leaf = leaf_hash({});
  const auto root = included(index, size, leaf, proof);
  if (root) {
    require(proves_inclusion(proof, index, size, leaf, *root));
    require(!proves_inclusion(proof, index, size, leaf, flipped(*root)));
    require(!proves_inclusion(proof, index, size, flipped(leaf), *root));
    for (const uint64_t other : other_sizes(index, size)) {
      const bool holds = index < other && included(index, other, leaf, proof) == root;
      require(proves_inclusion(proof, index, other, leaf, *root) == holds);
    }
    return;
  }
  // Of a wrong length: it leads to no root, not to those of its parts either.
  for (size_t length = 0; length <= proof.size(); ++length) {
    const auto part = included(index, size, leaf, Hashes(proof).first(length));
    require(!part || !proves_inclusion(proof, index, size, leaf, *part));
  }
}

void check_consistency(const MerkleProof& proof, uint64_t old_size, uint64_t size) {
  const Sha256Digest known = leaf_hash({});
  const auto roots = consistent(old_size, size, &known, proof);
  if (roots) {
    require(proves_consistency(proof, old_size, roots->old_root, size, roots->root));
    require(!proves_consistency(proof, old_size, flipped(roots->old_root), size, roots->root));
    require(!proves_consistency(proof, old_size, roots->old_root, size, flipped(roots->root)));
    for (const uint64_t other : other_sizes(old_size, size)) {
      const bool holds =
          old_size <= other && consistent(old_size, other, &roots->old_root, proof) == roots;
      require(proves_consistency(proof, old_size, roots->old_root, other, roots->root) == holds);
    }
    return;
  }
  for (size_t length = 0; length <= proof.size(); ++length) {
    const auto part = consistent(old_size, size, &known, Hashes(proof).first(length));
    require(!part || !proves_consistency(proof, old_size, part->old_root, size, part->root));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHead = 1 + 8 + 8 + 1;
  if (size < kHead) {
    return 0;
  }
  uint64_t first = 0;
  uint64_t tree = 0;
  int8_t longer = 0;
  std::memcpy(&first, data + 1, 8);
  std::memcpy(&tree, data + 9, 8);
  std::memcpy(&longer, data + 17, 1);
  const bool consistency = (data[0] & 1) != 0;
  if (tree == 0 || first > tree || (consistency ? first == 0 : first == tree)) {
    require(first < tree || !proves_inclusion({}, first, tree, {}, {}));
    return 0;
  }
  const auto right =
      static_cast<int>(consistency ? consistency_steps(first, tree) : inclusion_steps(first, tree));
  const MerkleProof proof =
      hashes_of({data + kHead, size - kHead}, static_cast<size_t>(std::max(0, right + longer)));
  if (consistency) {
    check_consistency(proof, first, tree);
  } else {
    check_inclusion(proof, first, tree);
  }
  return 0;
}
