// SPDX-License-Identifier: Apache-2.0
#include "shared/sqlite/database.h"

#include "shared/base/unique_fd.h"
#include "shared/sqlite/statement.h"

#include <fcntl.h>

namespace sallyport {

namespace {

// SQLite would make the file with the umask alone.
Status make_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  return fd ? ok() : Status(errno_error("opening " + path));
}

std::string file_of(sqlite3* database) {
  const char* file = sqlite3_db_filename(database, "main");
  return file == nullptr ? "database" : file;
}

}  // namespace

Result<SqliteDatabase> open_sqlite(const std::string& path) {
  if (const Status made = make_file(path); !made) {
    return made.error();
  }
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  SqliteDatabase database(raw);
  if (opened != SQLITE_OK) {
    return Error{Errc::io, path + ": " + sqlite3_errstr(opened)};
  }
  return database;
}

Error sqlite_error(sqlite3* database) {
  const int code = sqlite3_errcode(database) & 0xff;  // without the extended part
  const Errc kind = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? Errc::corrupt
                    : code == SQLITE_ERROR                          ? Errc::internal
                                                                    : Errc::io;
  return Error{kind, file_of(database) + ": " + sqlite3_errmsg(database)};
}

Status execute(sqlite3* database, const std::string& sql) {
  return sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK
             ? ok()
             : Status(sqlite_error(database));
}

Result<int64_t> pragma_number(sqlite3* database, const std::string& pragma) {
  Statement statement(database, "PRAGMA " + pragma);
  if (const auto row = statement.step(); !row) {
    return row.error();
  }
  return statement.number(0);
}

Status migrate(sqlite3* database, std::span<const char* const> steps) {
  const auto version = pragma_number(database, "user_version");
  if (!version) {
    return version.error();
  }
  const auto seen = static_cast<size_t>(*version);
  if (seen > steps.size()) {
    return Error{Errc::invalid, file_of(database) + ": written by a newer version (format " +
                                    std::to_string(*version) + "); install that version again"};
  }
  for (size_t i = seen; i < steps.size(); ++i) {
    auto transaction = Transaction::begin(database);
    if (!transaction) {
      return transaction.error();
    }
    const Status done =
        execute(database, std::string(steps[i]) + ";PRAGMA user_version=" + std::to_string(i + 1));
    if (const Status committed = done ? transaction->commit() : done; !committed) {
      return committed;
    }
  }
  return ok();
}

Result<Transaction> Transaction::begin(sqlite3* database) {
  if (const Status begun = execute(database, "BEGIN IMMEDIATE"); !begun) {
    return begun.error();
  }
  return Transaction(database);
}

Status Transaction::commit() {
  if (const Status committed = execute(open_.get(), "COMMIT"); !committed) {
    return committed;
  }
  static_cast<void>(open_.release());
  return ok();
}

void Transaction::roll_back(sqlite3* database) noexcept {
  // Some errors have rolled back already; then this is one, too.
  sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace sallyport
