// SPDX-License-Identifier: Apache-2.0
//
// A log whose files are not as it left them: what a crash leaves is cut off, what only a hand or a
// broken disk makes is refused, and then nothing in the folder has changed.
#include "tests/shared/evidence/test_log.h"
#include "tests/support/catch.h"

#include <functional>

using namespace sallyport;
using namespace sallyport::test;

namespace {

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// It says so, names the folder, says what to do, and touches nothing.
void check_refused(const TestLog& test, const std::string& why) {
  const auto before = test.files();
  const auto log = test.open();
  REQUIRE(!log);
  INFO(log.error().message);
  CHECK(log.error().code == Errc::corrupt);
  CHECK(log.error().message.find(why) != std::string::npos);
  CHECK(log.error().message.find(test.folder()) == 0);
  CHECK(log.error().message.find("restore") != std::string::npos);
  CHECK(test.files() == before);
}

// The log goes on as one of `size` audit entries.
void check_goes_on(const TestLog& test, uint64_t size) {
  INFO(size);
  TileLog log = test.opened();
  REQUIRE(log.size() == size);
  CHECK(log.root() == audit_root(size));
  REQUIRE(log.append(audit_entries(size, size + 3)));
  const TileLog again = test.opened();
  CHECK(again.size() == size + 3);
  CHECK(again.root() == audit_root(size + 3));
}

// How many whole entries are in the first `bytes` bytes of a pending file.
uint64_t whole_entries(uint64_t first, size_t bytes) {
  uint64_t count = 0;
  for (size_t end = entry_bytes(first); end <= bytes; end += entry_bytes(first + count)) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a pending file that is torn at any byte") {
  for (const uint64_t first : {uint64_t{0}, uint64_t{256}}) {
    TestLog test;
    test.fill(first + 3, first + 1);
    const std::string name = "pending-" + std::to_string(first / 256);
    const std::string whole = test.files().at(name);
    for (size_t cut = 0; cut <= whole.size(); cut += first == 0 ? 1 : 7) {
      const uint64_t left = std::max<uint64_t>(1, whole_entries(first, cut));
      const TestLog torn(test);
      write(torn / name, whole.substr(0, cut) + std::string(cut % 3 * 99, cut % 2 ? '\0' : '\xff'));
      check_goes_on(torn, first + left);
    }
  }
}

TEST_CASE("a hole of zeroes in a pending file ends it") {
  TestLog test;
  test.fill(4, 2);
  const std::string whole = test.files().at("pending-0");
  for (size_t at = 0; at < whole.size(); at += 3) {
    const TestLog holed(test);
    std::string bytes = whole;
    bytes.replace(at, whole.size() - at, whole.size() - at, '\0');
    write(holed / "pending-0", bytes);
    check_goes_on(holed, std::max<uint64_t>(2, whole_entries(0, at)));
  }
}

TEST_CASE("where a pending file is torn, later ones are stale") {
  TestLog test;
  test.fill(600, 250);
  const std::string whole = test.files().at("pending-0");
  write(test / "pending-0", whole.substr(0, whole.size() - 100));
  REQUIRE(test.files().contains("pending-2"));
  TileLog log = test.opened();
  CHECK(log.size() == 254);
  CHECK(!test.files().contains("pending-1"));
  CHECK(!test.files().contains("pending-2"));
  REQUIRE(log.append(audit_entries(254, 800)));
  CHECK(test.opened().root() == audit_root(800));
}

TEST_CASE("a pending file that nobody knows of is not continued") {
  TestLog test;
  test.fill(250, 250);
  TestLog other;
  other.fill(600, 100);
  TileLog log = test.opened();
  write(test / "pending-1", other.files().at("pending-1"));
  REQUIRE(log.append(audit_entries(250, 300)));
  CHECK(test.opened().size() == 300);
  CHECK(test.opened().root() == audit_root(300));
}

TEST_CASE("a log that was restored without pending files goes on from its bundles") {
  for (const uint64_t size : {1U, 100U, 255U, 256U, 257U, 300U, 511U, 512U, 700U}) {
    TestLog test;
    test.fill(size, size);
    for (const auto& [name, bytes] : test.files()) {
      if (name.starts_with("pending-")) {
        std::filesystem::remove(test / name);
      }
    }
    {
      const TileLog log = test.opened();  // and once more, after it was cut short
      CHECK(log.size() == size);
    }
    check_goes_on(test, size);
  }
}

TEST_CASE("an empty pending file does not hide the bundle") {
  TestLog test;
  test.fill(300, 300);
  write(test / "pending-1", "");
  check_goes_on(test, 300);
}

TEST_CASE("without pending file and bundle the log is refused") {
  for (const uint64_t size : {1U, 100U, 257U, 300U}) {
    TestLog test;
    test.fill(size, size);
    std::filesystem::remove(test / ("pending-" + std::to_string(size / 256)));
    std::filesystem::remove_all(test / (bundle_path(size / 256, 256) + ".p"));
    check_refused(test, "is missing");
  }
}

TEST_CASE(
    "a pending file that is torn within what was signed, without a bundle, is refused whole") {
  TestLog test;
  test.fill(3, 2);
  std::filesystem::remove_all(test / "tile/entries");
  const std::string whole = test.files().at("pending-0");
  const size_t was_signed = 2 * entry_bytes(0);
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const TestLog torn(test);
    write(torn / "pending-0", whole.substr(0, cut));
    if (cut >= was_signed) {
      check_goes_on(torn, whole_entries(0, cut));
    } else {
      check_refused(torn, "is missing");
    }
    std::string damaged = whole;
    damaged[cut] = static_cast<char>(damaged[cut] ^ 0x80);
    if (cut < was_signed) {
      const TestLog holed(test);
      write(holed / "pending-0", damaged);
      check_refused(holed, "");
    }
  }
}

TEST_CASE("a log that was rolled back is refused") {
  for (const uint64_t size : {1U, 255U, 256U, 257U, 512U, 600U}) {
    TestLog early;
    early.fill(size, size);
    for (const uint64_t more : {1U, 2U, 256U, 300U}) {
      TestLog late(early);
      late.fill(size + more, size + more);
      TestLog back(early);
      back.last = late.last;
      check_refused(back, "");
    }
  }
}

TEST_CASE("a log with other entries is refused") {
  for (const uint64_t size : {1U, 100U, 255U, 256U, 257U, 600U, 65536U}) {
    INFO(size);
    TestLog test;
    test.fill(size, size);
    const Checkpoint right = *test.last;
    TestLog fork;
    {
      TileLog log = fork.opened();
      REQUIRE(log.append({audit_entry(99'999)}));
      REQUIRE(log.append(audit_entries(1, size)));
      fork.publish(log);
    }
    CHECK(fork.last->root != right.root);
    fork.last = right;
    check_refused(fork, "are not those that were signed");
  }
}

TEST_CASE("a pending file with another entry is refused where it was signed") {
  TestLog test;
  test.fill(6, 3);
  for (uint64_t changed = 0; changed < 6; ++changed) {
    std::string bytes;
    for (uint64_t i = 0; i < 6; ++i) {
      append_to_bundle(bytes, log_entry_text(audit_entry(i == changed ? 99 : i)));
    }
    TestLog other(test);
    write(other / "pending-0", bytes);
    if (changed < 3) {
      check_refused(other, "are not those that were signed");
    } else {
      CHECK(other.opened().size() == 6);
    }
  }
}

TEST_CASE("tiles above the leaves that are missing, short or changed are refused") {
  for (const uint64_t size : {256U, 300U, 512U, 1000U}) {
    TestLog test;
    test.fill(size, size);
    const std::string path = tile_path(1, 0, size / 256);
    const std::string good = test.files().at(path);
    for (size_t i = 0; i < good.size(); i += 5) {
      TestLog changed(test);
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 1);
      write(changed / path, bad);
      check_refused(changed, "are not those that were signed");
    }
    TestLog cut(test);
    write(cut / path, good.substr(0, good.size() - 1));
    check_refused(cut, "too short");
    TestLog gone(test);
    std::filesystem::remove(gone / path);
    check_refused(gone, "is missing");
  }
}

TEST_CASE("a log without its checkpoint is not begun anew") {
  TestLog test;
  test.fill(300, 300);
  test.last = std::nullopt;
  check_refused(test, "no checkpoint of it");
  test.last = Checkpoint{"test", 0, empty_tree_root()};
  check_refused(test, "no checkpoint of it");
}

TEST_CASE("tiles before the first checkpoint, of which the signer has said nothing") {
  TestLog test;
  {
    TileLog log = test.opened();
    REQUIRE(log.append(audit_entries(0, 300)));
    REQUIRE(write_tile_files(test.folder(), log.files()));
  }
  REQUIRE(!test.last);
  check_goes_on(test, 300);
}

TEST_CASE("a folder in a file's place is an error, and stays") {
  TestLog test;
  test.fill(3, 3);
  std::filesystem::remove(test / "pending-0");
  std::filesystem::create_directory(test / "pending-0");
  CHECK(!test.open());
  CHECK(std::filesystem::is_directory(test / "pending-0"));
}
