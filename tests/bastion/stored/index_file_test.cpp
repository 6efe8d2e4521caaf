// SPDX-License-Identifier: Apache-2.0
//
// Files that were not written by this version: older, newer, damaged, somebody else's.
#include "bastion/stored/index/index_file.h"

#include "bastion/stored/index/schema.h"
#include "shared/sqlite/statement.h"
#include "tests/bastion/stored/index_sample.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

std::string bytes_of(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

SqliteDatabase open_raw(const std::string& path) {
  auto database = open_sqlite(path);
  REQUIRE(database);
  return std::move(*database);
}

void run_sql(const std::string& path, const std::string& sql) {
  const Status done = execute(open_raw(path).get(), sql);
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
}

// As version `version` wrote it, with two recordings.
void make_version(const std::string& path, size_t version) {
  const std::string dump = bytes_of(std::string(SALLYPORT_TEST_DATA) + "/index/version-" +
                                    std::to_string(version) + ".sql");
  REQUIRE_FALSE(dump.empty());
  run_sql(path, dump);
}

std::vector<RecordingEntry> rows_of_version(size_t version) {
  RecordingEntry bob;
  bob.recording = "ffeeddccbbaa99887766554433221100-3";
  bob.state = RecordingState::cut_off;
  bob.person = "bob@example.com";
  bob.issuer = "https://idp.example";
  bob.subject = "s-2";
  bob.target = "db1";
  bob.login = "postgres";
  bob.address = "[2001:db8::7]:50023";
  bob.kind = "exec";
  bob.start_ms = 1800000000001;
  RecordingEntry ada;
  ada.recording = "00112233445566778899aabbccddeeff-0";
  ada.state = RecordingState::ended;
  ada.person = "ada@example.com";
  ada.issuer = "https://idp.example";
  ada.subject = "s-1";
  ada.target = "web1";
  ada.login = "root";
  ada.address = "192.0.2.1:50022";
  ada.fingerprint = "SHA256:abc";
  ada.kind = "shell";
  ada.start_ms = 1800000000000;
  ada.end_ms = 1800000060000;
  ada.bytes = 4096;
  ada.frames = 17;
  ada.reason = "closed";
  if (version >= 3) {
    ada.hold = true;
    for (char byte = 0; byte < 32; ++byte) {
      ada.chain_head.push_back(byte);
    }
  }
  ada.roles = version >= 4 ? "operators" : "";
  return {bob, ada};
}

std::string schema_of(const std::string& path) {
  const auto database = open_raw(path);
  Statement statement(database.get(), "SELECT group_concat(sql, ';') FROM sqlite_schema");
  REQUIRE(*statement.step());
  return std::string(statement.text(0));
}

// A file that is not ours or not sound: one is begun, and the old one lies beside it unchanged.
void check_set_aside(const std::string& path) {
  const std::string before = bytes_of(path);
  Index index = open_index(path);
  CHECK(index.is_new());
  CHECK(find_all(index).empty());
  put_all(index, {sample_entry(1)});
  CHECK(find_all(index).size() == 1);
  CHECK(bytes_of(path + ".damaged") == before);
}

}  // namespace

TEST_CASE("index: a file of each version so far opens with its rows, and is then the newest") {
  for (size_t version = 1; version <= index_migrations().size(); ++version) {
    INFO("version " << version);
    const TestFolder folder;
    make_version(folder / "index.db", version);
    const Index index = open_index(folder / "index.db");
    CHECK_FALSE(index.is_new());
    CHECK(find_all(index) == rows_of_version(version));
    open_index(folder / "new.db");
    CHECK(schema_of(folder / "index.db") == schema_of(folder / "new.db"));
  }
}

TEST_CASE("index: the steps still make what the released versions were") {
  for (size_t version = 1; version <= index_migrations().size(); ++version) {
    INFO("version " << version);
    const TestFolder folder;
    make_version(folder / "released.db", version);
    REQUIRE(migrate(open_raw(folder / "made.db").get(), index_migrations().first(version)));
    CHECK(schema_of(folder / "made.db") == schema_of(folder / "released.db"));
  }
}

TEST_CASE("index: a file of a newer version is refused and left as it is") {
  const TestFolder folder;
  const std::string path = folder / "index.db";
  put_all(*std::make_unique<Index>(open_index(path)), {sample_entry(1)});
  run_sql(path, "PRAGMA user_version=99");
  const std::string before = bytes_of(path);
  const auto index = Index::open(path);
  REQUIRE_FALSE(index);
  CHECK(index.error().code == Errc::invalid);
  CHECK(index.error().message == path +
                                     ": written by a newer version (format 99); install that "
                                     "version again");
  CHECK(bytes_of(path) == before);
  CHECK_FALSE(std::filesystem::exists(path + ".damaged"));
}

TEST_CASE("index: a file that is no database is set aside") {
  const TestFolder folder;
  check_set_aside(folder.write("index.db", std::string(100'000, 'x')));
}

TEST_CASE("index: a database of somebody else is set aside unchanged") {
  const TestFolder folder;
  run_sql(folder / "index.db", "CREATE TABLE recordings (recording TEXT); PRAGMA user_version=1");
  check_set_aside(folder / "index.db");
}

TEST_CASE("index: a file of ours with other tables is set aside") {
  for (const char* sql : {"DROP INDEX by_person", "ALTER TABLE recordings DROP COLUMN reason",
                          "CREATE TRIGGER t AFTER INSERT ON recordings BEGIN SELECT 1; END",
                          "PRAGMA user_version=0"}) {
    INFO(sql);
    const TestFolder folder;
    put_all(*std::make_unique<Index>(open_index(folder / "index.db")), {sample_entry(1)});
    run_sql(folder / "index.db", sql);
    const Index index = open_index(folder / "index.db");
    CHECK(index.is_new());
    CHECK(std::filesystem::exists(folder / "index.db.damaged"));
  }
}

TEST_CASE("index: a file with a page of zeros is set aside, wherever the page is") {
  const TestFolder sound;
  const std::string sound_path = sound / "index.db";
  {
    Index index = open_index(sound_path);
    std::vector<RecordingEntry> entries;
    for (uint64_t i = 0; i < 500; ++i) {
      entries.push_back(sample_entry(i));
    }
    put_all(index, entries);
  }
  const std::string whole = bytes_of(sound_path);
  constexpr size_t kPage = 4096;
  REQUIRE(whole.size() > 20 * kPage);
  for (size_t offset = 0; offset < whole.size(); offset += 7 * kPage) {
    INFO("offset " << offset);
    const TestFolder folder;
    std::string bytes = whole;
    bytes.replace(offset, kPage, kPage, '\0');
    folder.write("index.db", bytes);
    CHECK(open_index(folder / "index.db").is_new());
    CHECK(std::filesystem::exists(folder / "index.db.damaged"));
  }
}

TEST_CASE("index: a file that lost its end is set aside, an empty one is begun") {
  const TestFolder folder;
  const std::string path = folder / "index.db";
  put_all(*std::make_unique<Index>(open_index(path)), {sample_entry(1)});
  REQUIRE(::truncate(path.c_str(), 5 * 4096) == 0);
  check_set_aside(path);
  REQUIRE(std::filesystem::remove(path + ".damaged"));
  REQUIRE(::truncate(path.c_str(), 0) == 0);
  CHECK(open_index(path).is_new());
  CHECK_FALSE(std::filesystem::exists(path + ".damaged"));
}

TEST_CASE("index: what was set aside before makes room for what is now") {
  const TestFolder folder;
  folder.write("index.db.damaged", "older");
  folder.write("index.db.damaged-wal", "older");
  check_set_aside(folder.write("index.db", std::string(5000, 'y')));
  CHECK_FALSE(std::filesystem::exists(folder / "index.db.damaged-wal"));
}

TEST_CASE("index: a folder that is not there is an error of the disk") {
  const TestFolder folder;
  const auto index = Index::open(folder / "no/index.db");
  REQUIRE_FALSE(index);
  CHECK(index.error().code == Errc::io);
}
