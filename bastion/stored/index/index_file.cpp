// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index/index_file.h"

#include "bastion/stored/index/schema.h"
#include "shared/base/log.h"
#include "shared/sqlite/statement.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sallyport::stored {

namespace {

Error damaged(const std::string& path, const std::string& why) {
  return Error{Errc::corrupt, path + ": " + why};
}

// Names and types only: how SQLite spells the SQL of a changed table is its own affair. ANALYZE may
// have made tables beside ours.
Result<std::string> schema_of(sqlite3* database) {
  Statement statement(database,
                      "SELECT type || ' ' || name FROM sqlite_schema "
                      "WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' UNION ALL "
                      "SELECT type || ' column ' || name FROM pragma_table_info('recordings') "
                      "ORDER BY 1");
  std::string all;
  for (;;) {
    const auto row = statement.step();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      return all;
    }
    all.append(statement.text(0)).append(";\n");
  }
}

Result<std::string> expected_schema() {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open(":memory:", &raw);
  const SqliteDatabase database(raw);
  if (opened != SQLITE_OK) {
    return Error{Errc::io, std::string("a database in memory: ") + sqlite3_errstr(opened)};
  }
  const Status migrated = migrate(raw, index_migrations());
  return migrated ? schema_of(raw) : Result<std::string>(migrated.error());
}

// Before anything is written: the file may be somebody else's.
Result<bool> has_no_rows_yet(sqlite3* database, const std::string& path) {
  const auto schema = schema_of(database);
  const auto id = pragma_number(database, "application_id");
  if (!schema || !id) {
    return schema ? id.error() : schema.error();
  }
  if (schema->empty() && *id == 0) {
    return true;
  }
  if (*id != kIndexApplicationId) {
    return damaged(path, "a database, but not an index of recordings");
  }
  return false;
}

Status check_pages(sqlite3* database, const std::string& path) {
  Statement check(database, "PRAGMA quick_check(1)");
  const auto row = check.step();
  if (!row) {
    return row.error();
  }
  const std::string said(check.text(0));
  return said == "ok" ? ok() : Status(damaged(path, said));
}

Status check_schema(sqlite3* database, const std::string& path) {
  const auto expected = expected_schema();
  const auto found = schema_of(database);
  if (!expected || !found) {
    return expected ? found.error() : expected.error();
  }
  return *expected == *found ? ok() : Status(damaged(path, "its tables are not ours"));
}

Result<IndexFile> open_sound(const std::string& path) {
  auto database = open_sqlite(path);
  if (!database) {
    return database.error();
  }
  sqlite3* raw = database->get();
  Status done = execute(raw, "PRAGMA busy_timeout=2000; PRAGMA trusted_schema=OFF");
  if (!done) {
    return done.error();
  }
  const auto is_new = has_no_rows_yet(raw, path);
  if (!is_new) {
    return is_new.error();
  }
  done = migrate(raw, index_migrations());
  if (!done && done.error().code == Errc::internal) {  // a step that its tables do not take
    done = damaged(path, done.error().message);
  }
  if (done) {
    done = check_pages(raw, path);
  }
  if (done) {
    done = check_schema(raw, path);
  }
  if (done) {
    // secure_delete: what an erasure takes out of a row is overwritten. synchronous=NORMAL: after a
    // power cut the last rows may be missing, and nothing else.
    done = execute(raw,
                   "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=OFF;"
                   "PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY;"
                   "PRAGMA journal_size_limit=16777216");
  }
  return done ? Result<IndexFile>(IndexFile{std::move(*database), *is_new}) : done.error();
}

}  // namespace

Result<IndexFile> open_index_file(const std::string& path) {
  auto file = open_sound(path);
  if (file || file.error().code != Errc::corrupt) {
    return file;
  }
  if (const Status moved = set_index_aside(path, file.error().message); !moved) {
    return moved.error();
  }
  return open_sound(path);
}

Status set_index_aside(const std::string& path, const std::string& why) {
  const std::string aside = path + ".damaged";
  for (const char* suffix : {"", "-wal"}) {
    ::unlink((aside + suffix).c_str());
    if (::rename((path + suffix).c_str(), (aside + suffix).c_str()) != 0 && errno != ENOENT) {
      return errno_error("renaming " + path + suffix + " to " + aside + suffix);
    }
  }
  ::unlink((path + "-shm").c_str());
  log_error("the index of recordings is damaged; a new one is begun",
            {{"why", why}, {"set_aside", aside}});
  return ok();
}

}  // namespace sallyport::stored
