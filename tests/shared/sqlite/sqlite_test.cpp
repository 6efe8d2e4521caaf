// SPDX-License-Identifier: Apache-2.0
#include "shared/sqlite/database.h"
#include "shared/sqlite/statement.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <array>

using namespace sallyport;

namespace {

SqliteDatabase open_file(const std::string& path) {
  auto database = open_sqlite(path);
  REQUIRE(database);
  return std::move(*database);
}

int64_t count(sqlite3* database) {
  Statement statement(database, "SELECT count(*) FROM t");
  const auto row = statement.step();
  REQUIRE(row);
  REQUIRE(*row);
  return statement.number(0);
}

}  // namespace

TEST_CASE("what is bound comes back, a text as a text and a blob as a blob") {
  const TestFolder folder;
  const auto database = open_file(folder / "a.db");
  REQUIRE(execute(database.get(), "CREATE TABLE t (a, b, c)"));
  Statement insert(database.get(), "INSERT INTO t VALUES (?, ?, ?)");
  const std::string text("a\0'b", 4);
  REQUIRE(insert.bind_text(text).bind_blob("\xff").bind_number(-7).run());
  REQUIRE(insert.again().bind_text({}).bind_blob("2").bind_number(8).run());
  Statement select(database.get(), "SELECT a, b, c, typeof(a), typeof(b) FROM t ORDER BY c");
  REQUIRE(*select.step());
  CHECK(select.text(0) == text);
  CHECK(select.blob(1) == "\xff");
  CHECK(select.number(2) == -7);
  CHECK(select.text(3) == "text");
  CHECK(select.text(4) == "blob");
  REQUIRE(*select.step());
  CHECK(select.text(0).empty());
  CHECK(select.text(3) == "text");
  CHECK_FALSE(*select.step());
}

TEST_CASE("a transaction that is not committed has not been") {
  const TestFolder folder;
  const auto database = open_file(folder / "a.db");
  REQUIRE(execute(database.get(), "CREATE TABLE t (a)"));
  {
    auto transaction = Transaction::begin(database.get());
    REQUIRE(transaction);
    REQUIRE(execute(database.get(), "INSERT INTO t VALUES (1)"));
  }
  CHECK(count(database.get()) == 0);
  auto transaction = Transaction::begin(database.get());
  REQUIRE(transaction);
  REQUIRE(execute(database.get(), "INSERT INTO t VALUES (1)"));
  REQUIRE(transaction->commit());
  CHECK(count(database.get()) == 1);
}

TEST_CASE("migrations run once each, and one that fails leaves nothing behind") {
  const TestFolder folder;
  const auto database = open_file(folder / "a.db");
  const std::array<const char*, 2> broken = {"CREATE TABLE t (a)",
                                             "INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)"};
  const Status failed = migrate(database.get(), broken);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::internal);
  CHECK(failed.error().message.find("no such table: u") != std::string::npos);
  CHECK(*pragma_number(database.get(), "user_version") == 1);
  CHECK(count(database.get()) == 0);
  const std::array<const char*, 2> whole = {broken[0], "INSERT INTO t VALUES (1)"};
  REQUIRE(migrate(database.get(), whole));
  REQUIRE(migrate(database.get(), whole));
  CHECK(count(database.get()) == 1);
  CHECK(migrate(database.get(), std::span(whole).first(1)).error().code == Errc::invalid);
}

TEST_CASE("a file that is no database is told from one that cannot be opened") {
  const TestFolder folder;
  const auto database = open_file(folder.write("a.db", std::string(4096, 'x')));
  CHECK(pragma_number(database.get(), "user_version").error().code == Errc::corrupt);
  const auto missing = open_sqlite(folder / "no/a.db");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::io);
  CHECK(missing.error().message.find(folder / "no/a.db") != std::string::npos);
}
