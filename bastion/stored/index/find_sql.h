// SPDX-License-Identifier: Apache-2.0
//
// A question to the index as SQL. Which index answers it is decided here and not by SQLite's
// planner, which would have to know how many recordings a person has: so the same question takes
// the same way in every file.
#pragma once

#include "shared/ipc/daemon_messages.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace sallyport::stored {

inline constexpr uint32_t kMaxFound = 10'000;

struct FindSql {
  std::string sql;
  std::vector<std::variant<int64_t, std::string>> values;  // for its ?, in their order
};

FindSql find_sql(const RecordingsFind& wanted);

// The columns that it selects, and that a new row has.
inline constexpr const char* kIndexColumns =
    "recording, state, person, agent, issuer, subject, target, login, address, fingerprint, "
    "roles, kind, start_ms, end_ms, bytes, frames, reason, chain_head, hold";

}  // namespace sallyport::stored
