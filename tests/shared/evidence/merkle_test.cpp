// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/merkle.h"

#include "shared/base/hex.h"
#include "tests/shared/evidence/test_tree.h"
#include "tests/shared/evidence/vectors.h"
#include "tests/support/catch.h"

#include <array>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr uint64_t kMax = 130;

// The eight leaves of Certificate Transparency's reference tests, and the roots over the first n.
constexpr std::array<const char*, 8> kLeaves = {"",
                                                "00",
                                                "10",
                                                "2021",
                                                "3031",
                                                "40414243",
                                                "5051525354555657",
                                                "606162636465666768696a6b6c6d6e6f"};
constexpr std::array<const char*, 9> kRoots = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::string digest_of(const std::vector<MerkleProof>& proofs) {
  Sha256 hash;
  for (const MerkleProof& proof : proofs) {
    for (const Sha256Digest& step : proof) {
      hash.update(step);
    }
  }
  return to_hex(hash.finish());
}

// Each proof that differs from this one by a bit, a hash less, a hash more, or two swapped.
std::vector<MerkleProof> others(const MerkleProof& good) {
  std::vector<MerkleProof> out;
  for (size_t i = 0; i <= good.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    for (const Sha256Digest& more : {Sha256Digest{}, i < good.size() ? good[i] : leaf_hash({})}) {
      out.push_back(good);
      out.back().insert(out.back().begin() + at, more);
    }
    if (i == good.size()) {
      break;
    }
    out.push_back(good);
    out.back()[i][31 - i % 32] ^= 0x10;
    out.push_back(good);
    out.back().erase(out.back().begin() + at);
    if (i > 0) {
      out.push_back(good);
      std::swap(out.back()[i - 1], out.back()[i]);
    }
  }
  return out;
}

Sha256Digest flipped(Sha256Digest hash) {
  hash[5] ^= 1;
  return hash;
}

}  // namespace

TEST_CASE("the roots of Certificate Transparency's reference leaves") {
  std::vector<Sha256Digest> leaves;
  MerkleFrontier frontier;
  CHECK(to_hex(empty_tree_root()) == kRoots[0]);
  CHECK(to_hex(frontier.root()) == kRoots[0]);
  for (const char* leaf : kLeaves) {
    leaves.push_back(leaf_hash(*from_hex(leaf)));
    frontier.append(leaves.back());
    const auto root = tree_root(leaves.size(), [&](unsigned level, uint64_t index) {
      return Result(perfect_root(std::span(leaves).subspan(index << level, size_t{1} << level)));
    });
    CHECK(to_hex(*root) == kRoots[leaves.size()]);
    CHECK(to_hex(frontier.root()) == kRoots[leaves.size()]);
    CHECK(frontier.size() == leaves.size());
  }
}

TEST_CASE("roots and proofs are those of an implementation by the letter") {
  const TestTree tree(kMax);
  MerkleFrontier frontier;
  for (uint64_t size = 0; size <= kMax; ++size) {
    const std::string number = std::to_string(size);
    CHECK(to_hex(tree.root(size)) == vector_of("root " + number));
    CHECK(frontier.root() == tree.root(size));
    std::vector<MerkleProof> inclusion;
    std::vector<MerkleProof> consistency;
    for (uint64_t i = 0; i < size; ++i) {
      inclusion.push_back(tree.inclusion(i, size));
      consistency.push_back(tree.consistency(i + 1, size));
    }
    CHECK(digest_of(inclusion) == vector_of("inclusion " + number));
    CHECK(digest_of(consistency) == vector_of("consistency " + number));
    frontier.append(size < kMax ? tree.leaf(size) : Sha256Digest{});
  }
}

TEST_CASE("every proof verifies") {
  const TestTree tree(kMax);
  uint64_t failed = 0;
  for (uint64_t size = 0; size <= kMax; ++size) {
    const Sha256Digest root = tree.root(size);
    for (uint64_t i = 0; i < size; ++i) {
      failed += !proves_inclusion(tree.inclusion(i, size), i, size, tree.leaf(i), root);
    }
    for (uint64_t old = 0; old <= size; ++old) {
      failed += !proves_consistency(tree.consistency(old, size), old, tree.root(old), size, root);
    }
  }
  CHECK(failed == 0);
}

TEST_CASE("no other proof of inclusion does") {
  constexpr uint64_t kSizes = 70;
  const TestTree tree(kSizes);
  uint64_t taken = 0;
  for (uint64_t size = 1; size <= kSizes; ++size) {
    const Sha256Digest root = tree.root(size);
    for (uint64_t i = 0; i < size; ++i) {
      const auto good = tree.inclusion(i, size);
      for (const MerkleProof& bad : others(good)) {
        taken += proves_inclusion(bad, i, size, tree.leaf(i), root);
      }
      taken += proves_inclusion(good, i, size, flipped(tree.leaf(i)), root);
      taken += proves_inclusion(good, i, size, tree.leaf(i), flipped(root));
      taken += proves_inclusion(good, size, size, tree.leaf(i), root);
      taken += proves_inclusion(good, i, 0, tree.leaf(i), root);
      for (uint64_t other = 0; other < size; ++other) {
        taken += other != i && proves_inclusion(good, other, size, tree.leaf(i), root);
        taken += other != i && proves_inclusion(good, i, size, tree.leaf(other), root);
      }
    }
  }
  CHECK(taken == 0);
}

TEST_CASE("no other proof of consistency does") {
  constexpr uint64_t kSizes = 70;
  const TestTree tree(kSizes);
  const TestTree fork(kSizes, "other");
  uint64_t taken = 0;
  for (uint64_t size = 0; size <= kSizes; ++size) {
    const Sha256Digest root = tree.root(size);
    for (uint64_t old = 0; old <= size; ++old) {
      const auto good = tree.consistency(old, size);
      const Sha256Digest old_root = tree.root(old);
      for (const MerkleProof& bad : others(good)) {
        taken += proves_consistency(bad, old, old_root, size, root);
      }
      taken += proves_consistency(good, old, flipped(old_root), size, root);
      // Every tree continues the empty one.
      taken +=
          (old > 0 || size == 0) && proves_consistency(good, old, old_root, size, flipped(root));
      taken += old > 0 && proves_consistency(fork.consistency(old, size), old, old_root, size,
                                             fork.root(size));
      taken += old < size && proves_consistency(good, size, root, old, old_root);
    }
  }
  CHECK(taken == 0);
}

TEST_CASE("a proof does not serve for a tree whose proofs have another length") {
  constexpr uint64_t kSizes = 40;
  const TestTree tree(kSizes);
  uint64_t taken = 0;
  for (uint64_t size = 1; size <= kSizes; ++size) {
    for (uint64_t other = 1; other <= kSizes; ++other) {
      for (uint64_t i = 0; i < std::min(size, other); ++i) {
        const auto path = tree.inclusion(i, size);
        taken += path.size() != tree.inclusion(i, other).size() &&
                 proves_inclusion(path, i, other, tree.leaf(i), tree.root(size));
        const auto proof = tree.consistency(i + 1, size);
        taken += proof.size() != tree.consistency(i + 1, other).size() &&
                 proves_consistency(proof, i + 1, tree.root(i + 1), other, tree.root(size));
      }
    }
  }
  CHECK(taken == 0);
}

TEST_CASE("a proof that hides the change of an old entry is none") {
  // The old tree's entries are replaced and the new root computed over that: whatever proof such a
  // log gives, it does not lead to the old root.
  for (uint64_t changed = 0; changed < 20; ++changed) {
    TestTree before(20);
    TestTree after;
    for (uint64_t i = 0; i < 33; ++i) {
      after.add(i == changed ? "changed" : "entry " + std::to_string(i));
    }
    for (uint64_t old = changed + 1; old <= 20; ++old) {
      CHECK(
          !proves_consistency(after.consistency(old, 33), old, before.root(old), 33, after.root()));
    }
  }
}

TEST_CASE("proofs of what is not there are refused") {
  const TestTree tree(5);
  CHECK(inclusion_proof(5, 5, tree.subtrees()).error().code == Errc::invalid);
  CHECK(inclusion_proof(0, 0, tree.subtrees()).error().code == Errc::invalid);
  CHECK(consistency_proof(6, 5, tree.subtrees()).error().code == Errc::invalid);
  CHECK(consistency_proof(0, 5, tree.subtrees())->empty());
  CHECK(consistency_proof(5, 5, tree.subtrees())->empty());
}

TEST_CASE("a hash that cannot be had is the proof's error") {
  const TestTree tree(100);
  const auto good = tree.subtrees();
  for (int missing = 0; missing < 5; ++missing) {
    int asked = 0;
    const SubtreeHash some = [&](unsigned level, uint64_t index) {
      return asked++ == missing ? Result<Sha256Digest>(Error{Errc::io, "gone"})
                                : good(level, index);
    };
    CHECK(inclusion_proof(37, 100, some).error().message == "gone");
    asked = 0;
    CHECK(consistency_proof(37, 100, some).error().message == "gone");
    asked = 0;
    CHECK((missing >= 3 || tree_root(100, some).error().message == "gone"));
  }
}

TEST_CASE("sizes up to 64 bits are checked without a loop without end or a wrap") {
  const MerkleProof proof(70, Sha256Digest{});
  for (const uint64_t size : {uint64_t{1} << 63, ~uint64_t{0}, (uint64_t{1} << 63) + 1}) {
    for (const uint64_t index : {uint64_t{0}, uint64_t{1}, size / 2, size - 1, size}) {
      for (size_t length = 0; length <= 70; ++length) {
        const MerkleProof part(proof.begin(), proof.begin() + static_cast<std::ptrdiff_t>(length));
        CHECK(!proves_inclusion(part, index, size, Sha256Digest{}, Sha256Digest{}));
        CHECK((index == size && length == 0) ==
              proves_consistency(part, index, Sha256Digest{}, size, Sha256Digest{}));
      }
    }
  }
}
