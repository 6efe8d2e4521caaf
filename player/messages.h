// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sallyport {

// To standard error, each line of `text` as "sallyport-play: ...". An error may quote what was
// recorded: it never reaches the auditor's terminal but through printable().
void print_message(const std::string& text);

}  // namespace sallyport
