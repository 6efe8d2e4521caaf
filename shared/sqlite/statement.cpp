// SPDX-License-Identifier: Apache-2.0
#include "shared/sqlite/statement.h"

#include "shared/sqlite/database.h"

namespace sallyport {

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
}

Statement& Statement::bind_blob(std::string_view bytes) {
  if (statement_) {
    sqlite3_bind_blob64(statement_.get(), next_++, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  return *this;
}

Statement& Statement::bind_text(std::string_view text) {
  if (statement_) {
    // A null pointer would be bound as NULL.
    sqlite3_bind_text64(statement_.get(), next_++, text.data() == nullptr ? "" : text.data(),
                        text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  return *this;
}

Statement& Statement::bind_number(int64_t number) {
  if (statement_) {
    sqlite3_bind_int64(statement_.get(), next_++, number);
  }
  return *this;
}

Result<bool> Statement::step() {
  if (!statement_) {
    return sqlite_error(database_);
  }
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return sqlite_error(database_);
  }
}

Status Statement::run() {
  const auto row = step();
  return row ? ok() : Status(row.error());
}

Statement& Statement::again() {
  if (statement_) {
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
    next_ = 1;
  }
  return *this;
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view() : std::string_view(data, static_cast<size_t>(size));
}

std::string_view Statement::text(int column) const {
  const auto* data = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr
             ? std::string_view()
             : std::string_view(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

}  // namespace sallyport
