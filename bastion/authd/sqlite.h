// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"
#include "shared/base/result.h"

#include <sqlite3.h>

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// One prepared statement, run once. Binding is by position from 1, in the order of the calls.
class Statement {
public:
  Statement(sqlite3* database, std::string_view sql);

  Statement& bind(std::string_view bytes);  // as a blob; must outlive the statement
  // true: a row is there; false: no more rows.
  Result<bool> step();
  Status run();                             // where no row is expected
  std::string_view blob(int column) const;  // until the next step
  int64_t number(int column) const;

private:
  Error error() const;

  sqlite3* database_;
  Handle<sqlite3_stmt, sqlite3_finalize> statement_;
  int bound_ = 0;
};

}  // namespace sallyport
