// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/sqlite.h"

namespace sallyport {

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
}

Statement& Statement::bind(std::string_view bytes) {
  if (statement_) {
    sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  return *this;
}

Result<bool> Statement::step() {
  if (!statement_) {
    return error();
  }
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return error();
  }
}

Status Statement::run() {
  const auto row = step();
  return row ? ok() : Status(row.error());
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view() : std::string_view(data, static_cast<size_t>(size));
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Error Statement::error() const {
  const char* file = sqlite3_db_filename(database_, "main");
  return Error{Errc::io,
               std::string(file == nullptr ? "database" : file) + ": " + sqlite3_errmsg(database_)};
}

}  // namespace sallyport
