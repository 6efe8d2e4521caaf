// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/tiles.h"

#include "shared/evidence/merkle.h"
#include "tests/shared/evidence/test_log.h"
#include "tests/shared/evidence/test_tree.h"
#include "tests/support/catch.h"

using namespace sallyport;
using namespace sallyport::test;

TEST_CASE("a tile's path is as tlog-tiles says") {
  CHECK(tile_path(0, 1234067, 256) == "tile/0/x001/x234/067");
  CHECK(tile_path(5, 0, 256) == "tile/5/000");
  CHECK(tile_path(0, 999, 256) == "tile/0/999");
  CHECK(tile_path(0, 1000, 256) == "tile/0/x001/000");
  CHECK(tile_path(1, 70, 17) == "tile/1/070.p/17");
  CHECK(tile_path(0, 999999, 1) == "tile/0/x999/999.p/1");
  CHECK(tile_path(0, 1000000, 255) == "tile/0/x001/x000/000.p/255");
  CHECK(tile_path(0, ~uint64_t{0}, 256) == "tile/0/x018/x446/x744/x073/x709/x551/615");
  CHECK(bundle_path(273, 112) == "tile/entries/273.p/112");
  CHECK(bundle_path(1234067, 256) == "tile/entries/x001/x234/067");
}

TEST_CASE("a bundle is read up to where it is torn") {
  std::string bundle;
  const std::vector<std::string> entries = {"a", std::string(300, 'b'), std::string(65535, 'c')};
  std::vector<size_t> ends = {0};
  for (const std::string& entry : entries) {
    append_to_bundle(bundle, entry);
    ends.push_back(bundle.size());
  }
  CHECK(bundle.substr(0, 5) == std::string("\0\x01"
                                           "a\x01\x2c",
                                           5));
  for (size_t cut = 0; cut <= bundle.size(); cut += cut < 400 ? 1 : 997) {
    const auto whole =
        static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin() - 1);
    for (const std::string& tail : {std::string(), std::string(1, '\0'), std::string(5000, '\0')}) {
      if (!tail.empty() && cut != ends[whole]) {
        continue;
      }
      const std::string torn = bundle.substr(0, cut) + tail;
      const auto read = read_bundle(torn);
      CHECK(read.entries.size() == whole);
      CHECK(read.bytes == ends[whole]);
      for (size_t i = 0; i < whole; ++i) {
        CHECK(read.entries[i] == entries[i]);
      }
    }
  }
  CHECK(read_bundle("").entries.empty());
}

namespace {

// Tiles of each of these sizes, as they are written while the log grows.
const TestLog& grown_log(const std::vector<uint64_t>& sizes) {
  static TestLog made;
  static const bool once = [&] {
    TileLog log = made.opened();
    for (const uint64_t size : sizes) {
      REQUIRE(log.append(audit_entries(log.size(), size)));
      made.publish(log);
    }
    return true;
  }();
  (void)once;
  return made;
}

const std::vector<uint64_t> kSizes = {1,   2,   17,   255,   256,   257,  511,
                                      512, 513, 4000, 65535, 65536, 65537};

TestTree audit_tree(uint64_t size) {
  TestTree tree;
  for (uint64_t i = 0; i < size; ++i) {
    tree.add(log_entry_text(audit_entry(i)));
  }
  return tree;
}

SubtreeHash subtrees_of(TileReader& reader) {
  return [&reader](unsigned level, uint64_t index) { return reader.subtree(level, index); };
}

}  // namespace

TEST_CASE("the files give every tree that the log was, its proofs and its entries") {
  const TestLog& log = grown_log(kSizes);
  const TestTree tree = audit_tree(kSizes.back());
  for (const uint64_t size : kSizes) {
    INFO(size);
    TileReader reader(log.folder(), size);
    const auto root = tree_root(size, subtrees_of(reader));
    REQUIRE(root);
    CHECK(*root == tree.root(size));
    for (const uint64_t index : {uint64_t{0}, size / 3, size / 2, size - 1}) {
      CHECK(*inclusion_proof(index, size, subtrees_of(reader)) == tree.inclusion(index, size));
    }
    for (const uint64_t old : kSizes) {
      if (old <= size) {
        CHECK(*consistency_proof(old, size, subtrees_of(reader)) == tree.consistency(old, size));
      }
    }
    const uint64_t last = (size - 1) / kTileWidth;
    for (const uint64_t number : {uint64_t{0}, last / 2, last}) {
      const auto bundle = reader.bundle(number);
      REQUIRE(bundle);
      const auto read = read_bundle(*bundle);
      CHECK(read.bytes == bundle->size());
      CHECK(read.entries.size() == std::min(kTileWidth, size - number * kTileWidth));
      CHECK(read.entries.back() ==
            log_entry_text(audit_entry(number * kTileWidth + read.entries.size() - 1)));
    }
  }
}

TEST_CASE("what is beyond the tree is not read") {
  const TestLog& log = grown_log(kSizes);
  for (const uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{256}, uint64_t{257}}) {
    TileReader reader(log.folder(), size);
    const uint64_t bundles = (size + kTileWidth - 1) / kTileWidth;
    for (const uint64_t number : {bundles, bundles + 1, ~uint64_t{0} >> 8, ~uint64_t{0}}) {
      CHECK(reader.bundle(number).error().code == Errc::invalid);
    }
    CHECK(reader.subtree(0, size).error().code == Errc::invalid);
    CHECK(reader.subtree(1, size / 2).error().code == Errc::invalid);
    CHECK(reader.subtree(9, 1).error().code == Errc::invalid);
    CHECK(reader.subtree(63, 0).error().code == Errc::invalid);
  }
}

TEST_CASE("a wider partial tile serves for one that is gone") {
  TestLog log;
  TileLog tiles = log.opened();
  for (const uint64_t size : {10U, 20U, 30U}) {
    REQUIRE(tiles.append(audit_entries(tiles.size(), size)));
    log.publish(tiles);
  }
  std::filesystem::remove(log / "tile/0/000.p/10");
  std::filesystem::remove(log / "tile/entries/000.p/10");
  std::ofstream(log / "tile/0/000.p/garbage") << "x";
  std::ofstream(log / "tile/0/000.p/5") << "x";
  TileReader reader(log.folder(), 10);
  CHECK(*tree_root(10, subtrees_of(reader)) == audit_root(10));
  CHECK(read_bundle(*reader.bundle(0)).entries.size() == 10);
}

TEST_CASE("a missing, short or odd tile is an error that names it") {
  TestLog log;
  log.fill(300, 300);
  const auto root_error = [&] {
    TileReader reader(log.folder(), 300);
    const auto root = tree_root(300, subtrees_of(reader));
    return root ? std::string("none") : root.error().message;
  };
  REQUIRE(root_error() == "none");
  const std::string tile = log / "tile/0/000";
  const std::string good = log.files()["tile/0/000"];
  for (const std::string& bad : {std::string(), good.substr(32), good.substr(1), good + "x"}) {
    std::ofstream(tile, std::ios::binary) << bad;
    TileReader reader(log.folder(), 300);
    CHECK(reader.subtree(0, 0).error().message.find("tile/0/000") != std::string::npos);
  }
  std::filesystem::remove(tile);
  TileReader reader(log.folder(), 300);
  CHECK(reader.subtree(0, 0).error().code == Errc::not_found);
  CHECK(reader.subtree(0, 0).error().message.find("tile/0/000 is missing") != std::string::npos);
  std::filesystem::remove(log / "tile/entries/000");
  CHECK(reader.bundle(0).error().code == Errc::not_found);
  std::ofstream(log / "tile/entries/001.p/44") << "";
  CHECK(reader.bundle(1).error().code == Errc::corrupt);
}
