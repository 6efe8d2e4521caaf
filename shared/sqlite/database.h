// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"
#include "shared/base/result.h"

#include <sqlite3.h>

#include <cstdint>
#include <span>
#include <string>

namespace sallyport {

using SqliteDatabase = Handle<sqlite3, sqlite3_close_v2>;

// Makes the file, 0600, where there is none. SQLite looks into it with the first statement only.
Result<SqliteDatabase> open_sqlite(const std::string& path);

// What the last call had to say, with the file's name. Errc::corrupt: the file is damaged, or no
// database; Errc::internal: the statement does not fit it (no such table); everything else (a full
// disk, a lock) is Errc::io.
Error sqlite_error(sqlite3* database);

// Statements without rows or parameters, or whose rows do not matter.
Status execute(sqlite3* database, const std::string& sql);

// "PRAGMA user_version" and others that are one number.
Result<int64_t> pragma_number(sqlite3* database, const std::string& pragma);

// Brings the file up to date: the steps are numbered from 1, and its user_version says how many of
// them it has seen. Each is one transaction. Errc::invalid: a newer version of us has written it.
Status migrate(sqlite3* database, std::span<const char* const> steps);

// BEGIN IMMEDIATE, and back to where it began unless it is committed.
class Transaction {
public:
  static Result<Transaction> begin(sqlite3* database);
  Status commit();

private:
  explicit Transaction(sqlite3* open) : open_(open) {}
  static void roll_back(sqlite3* database) noexcept;

  Handle<sqlite3, roll_back> open_;
};

}  // namespace sallyport
