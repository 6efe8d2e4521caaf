// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <string>

namespace sallyport {

// A moment as people type it: "2026-11-21", "2026-11-21T12:00" or "...:30", each with or without
// "Z" and always UTC; or how long before `now_ms`: "90m", "12h", "7d". Unix milliseconds.
Result<uint64_t> parse_when(const std::string& text, uint64_t now_ms);

}  // namespace sallyport
