// SPDX-License-Identifier: Apache-2.0
//
// What sallyportctl prints and asks. Everything goes through printable(): most of what a list shows
// was chosen by somebody else.
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace sallyport {

void print_line(const std::string& text);

// Columns as wide as their widest cell; only the header when there are no rows.
void print_table(const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows);
void print_json(const nlohmann::json& value);  // indented, ASCII only

// True on "y" or "yes". `yes` (--yes) answers without asking. Without a terminal an error that
// names
// --yes: a script must say it.
Result<bool> confirm(const std::string& question, bool yes);

// One line from the terminal; an error that names `option` where there is none.
Result<std::string> ask_line(const std::string& question, const std::string& option);

std::string utc_time(uint64_t unix_ms);  // "2026-11-21T12:00:00Z"; 0: "-"

}  // namespace sallyport
