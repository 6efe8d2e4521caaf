// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/tile_log.h"

#include "tests/shared/evidence/test_log.h"
#include "tests/shared/evidence/vectors.h"
#include "tests/support/catch.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

using namespace sallyport;
using namespace sallyport::test;

namespace {

// A file that a log of this size has: full tiles, and the partial ones at its end.
bool belongs_to(const std::string& path, uint64_t size) {
  const size_t partial = path.find(".p/");
  if (partial == std::string::npos) {
    return true;
  }
  const std::string level = path.substr(5, path.find('/', 5) - 5);
  const uint64_t hashes = size >> (8 * (level == "entries" ? 0 : std::stoul(level)));
  return std::stoull(path.substr(partial + 3)) == hashes % 256;
}

// As make_vectors.py computes it.
std::string digest_of_tiles(const std::string& folder, uint64_t size) {
  Sha256 hash;
  for (const auto& [path, bytes] : files_of(folder)) {
    if (path.starts_with("tile/") && belongs_to(path, size)) {
      hash.update(as_bytes(path + "\n" + bytes));
    }
  }
  return to_hex(hash.finish());
}

uint64_t partials(const std::string& folder) {
  uint64_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    count += entry.is_directory() && entry.path().string().ends_with(".p");
  }
  return count;
}

}  // namespace

TEST_CASE("the files of a log are those of an implementation by the letter") {
  TestLog test;
  TileLog log = test.opened();
  for (const uint64_t size : {1U, 2U, 255U, 256U, 257U, 600U, 65535U, 65536U, 65537U, 70000U}) {
    INFO(size);
    REQUIRE(log.append(audit_entries(log.size(), size)));
    test.publish(log);
    CHECK(log.size() == size);
    CHECK(digest_of_tiles(test.folder(), size) == vector_of("tiles " + std::to_string(size)));
    // Where a tile is full, the partial ones are gone. Level 0, entries, and the levels above.
    CHECK(partials(test.folder()) <= 4);
  }
  TileLog again = test.opened();
  CHECK(again.size() == 70000);
  CHECK(again.root() == log.root());
}

TEST_CASE("the files are the same, however often the log was opened in between") {
  TestLog test;
  for (uint64_t size : {1U, 2U, 255U, 256U, 257U, 600U}) {
    TileLog log = test.opened();
    REQUIRE(log.append(audit_entries(log.size(), size)));
    test.publish(log);
    CHECK(digest_of_tiles(test.folder(), size) == vector_of("tiles " + std::to_string(size)));
  }
}

TEST_CASE("a log that is opened after every entry is the same log") {
  for (const uint64_t every : {7U, 256U, 1000U}) {  // so many for one checkpoint
    TestLog test;
    MerkleFrontier frontier;
    uint64_t wrong = 0;
    for (uint64_t size = 0; size < 300; ++size) {
      TileLog log = test.opened();
      wrong += log.size() != size || log.root() != frontier.root();
      REQUIRE(log.append({audit_entry(size)}));
      frontier.append(leaf_hash(as_bytes(log_entry_text(audit_entry(size)))));
      wrong += log.root() != frontier.root();
      if (size % every == every - 1) {
        test.publish(log);
      }
    }
    INFO(every);
    CHECK(wrong == 0);
  }
}

TEST_CASE("batches of any length, also over the end of several bundles") {
  TestLog test;
  TileLog log = test.opened();
  for (const uint64_t count : {0U, 1U, 254U, 1U, 256U, 257U, 1024U, 1U, 0U, 511U}) {
    REQUIRE(log.append(audit_entries(log.size(), log.size() + count)));
    CHECK(log.root() == audit_root(log.size()));
    const TileLog other = test.opened();
    CHECK(other.size() == log.size());
    CHECK(other.root() == log.root());
  }
}

TEST_CASE("what lies in the pending files is the bundle as it will be") {
  TestLog test;
  test.fill(300, 260);
  const auto files = test.files();
  CHECK(!files.contains("pending-0"));
  const auto pending = read_bundle(files.at("pending-1"));
  CHECK(pending.entries.size() == 44);
  CHECK(files.at("pending-1").starts_with(files.at("tile/entries/001.p/4")));
}

TEST_CASE("files are handed out once, and what is full goes along with what it makes obsolete") {
  TestLog test;
  TileLog log = test.opened();
  CHECK(log.files().files.empty());
  REQUIRE(log.append(audit_entries(0, 250)));
  TileFiles first = log.files();
  CHECK(first.size == 250);
  CHECK(first.root == log.root());
  REQUIRE(first.files.size() == 2);
  CHECK(first.files[0].first == "tile/0/000.p/250");
  CHECK(first.files[1].first == "tile/entries/000.p/250");
  CHECK(first.obsolete.empty());
  CHECK(log.files().files.empty());

  REQUIRE(log.append(audit_entries(250, 256)));
  const TileFiles second = log.files();
  std::vector<std::string> names;
  for (const auto& [name, bytes] : second.files) {
    names.push_back(name);
  }
  CHECK(names == std::vector<std::string>{"tile/0/000", "tile/entries/000", "tile/1/000.p/1"});
  CHECK(second.obsolete ==
        std::vector<std::string>{"tile/0/000.p", "tile/entries/000.p", "pending-0"});
  CHECK(log.files().files.empty());
}

TEST_CASE("a crash before the tiles were written costs none of them") {
  for (const uint64_t size : {1U, 255U, 256U, 257U, 512U, 700U}) {
    TestLog test;
    {
      TileLog log = test.opened();
      REQUIRE(log.append(audit_entries(0, size)));
      log.files();  // and they are lost
    }
    TileLog log = test.opened();
    test.publish(log);
    TileReader reader(test.folder(), size);
    const auto root = tree_root(
        size, [&](unsigned level, uint64_t index) { return reader.subtree(level, index); });
    REQUIRE(root);
    CHECK(*root == audit_root(size));
  }
}

TEST_CASE("tiles that a checkpoint covers are not written anew") {
  TestLog test;
  test.fill(300, 300);
  const auto time_of = [&](const std::string& name) {
    return std::filesystem::last_write_time(test / name);
  };
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24);
  for (const auto& [name, bytes] : test.files()) {
    std::filesystem::last_write_time(test / name, long_ago);
  }
  TileLog log = test.opened();
  test.publish(log);
  for (const auto& [name, bytes] : test.files()) {
    INFO(name);
    CHECK(time_of(name) == long_ago);
  }
}

TEST_CASE("what is no entry is not taken") {
  TestLog test;
  TileLog log = test.opened();
  REQUIRE(log.append(audit_entries(0, 3)));
  const auto before = test.files();
  LogEntry bad;
  bad.kind = LogEntry::Kind::end;
  for (const std::string& reason :
       {std::string(), std::string("closed\n"), std::string("of its own"), std::string(600, 'x')}) {
    bad.reason = reason;
    const Status refused = log.append({audit_entry(3), bad});
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::invalid);
  }
  CHECK(log.size() == 3);
  CHECK(test.files() == before);
  bad.reason = "closed";
  CHECK(log.append({audit_entry(3), bad}));
  CHECK(test.opened().size() == 5);
}

TEST_CASE("entries that were not signed may be left out, those that were may not") {
  TestLog test;
  test.fill(600, 250);
  std::vector<uint64_t> asked;
  const auto log = TileLog::open(test.folder(), test.last, [&](const LogEntry& entry, uint64_t) {
    asked.push_back(entry.time_ms - 1700000000000);
    return asked.back() % 2 == 0;
  });
  REQUIRE(log);
  REQUIRE(asked.size() == 350);
  CHECK(asked.front() == 250);
  CHECK(asked.back() == 599);
  CHECK(log->size() == 250 + 175);

  MerkleFrontier frontier;
  for (uint64_t i = 0; i < 600; ++i) {
    if (i < 250 || i % 2 == 0) {
      frontier.append(leaf_hash(as_bytes(log_entry_text(audit_entry(i)))));
    }
  }
  CHECK(log->root() == frontier.root());
  TileLog again = test.opened();
  CHECK(again.size() == log->size());
  CHECK(again.root() == frontier.root());
  REQUIRE(again.append({audit_entry(1000)}));
  CHECK(test.opened().root() == again.root());
  CHECK(!test.files().contains("pending-2"));
}

TEST_CASE("old pending files go once their bundle and a checkpoint of it are there") {
  TestLog test;
  test.fill(700, 700);
  const auto bundles = test.files();
  std::ofstream(test / "pending-0", std::ios::binary) << bundles.at("tile/entries/000");
  std::ofstream(test / "pending-1", std::ios::binary) << bundles.at("tile/entries/001");
  TileLog log = test.opened();
  CHECK(test.files().contains("pending-0"));  // until then somebody may need it
  const TileFiles files = log.files();
  REQUIRE(write_tile_files(test.folder(), files));
  remove_obsolete(test.folder(), files);
  CHECK(!test.files().contains("pending-0"));
  CHECK(!test.files().contains("pending-1"));
  CHECK(test.files().contains("pending-2"));
}
