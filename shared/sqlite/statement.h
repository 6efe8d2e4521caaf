// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"
#include "shared/base/result.h"

#include <sqlite3.h>

#include <cstdint>
#include <string_view>

namespace sallyport {

// One prepared statement. Binding is by position from 1, in the order of the calls; what is bound
// must outlive the step. SQLite tells a blob from a text of the same bytes.
class Statement {
public:
  Statement(sqlite3* database, std::string_view sql);

  Statement& bind_blob(std::string_view bytes);
  Statement& bind_text(std::string_view text);
  Statement& bind_number(int64_t number);
  // true: a row is there; false: no more rows.
  Result<bool> step();
  Status run();        // where no row is expected
  Statement& again();  // from the start, with nothing bound

  // Of the row that is there, until the next step.
  std::string_view blob(int column) const;
  std::string_view text(int column) const;
  int64_t number(int column) const;

private:
  sqlite3* database_;
  Handle<sqlite3_stmt, sqlite3_finalize> statement_;
  int next_ = 1;
};

}  // namespace sallyport
