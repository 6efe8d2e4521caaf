// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport {

// Links are not followed, and a fifo is not waited for. Errc::not_found: there is none;
// Errc::corrupt: longer than `max_bytes`.
Result<std::string> read_file(const std::string& path, size_t max_bytes);

// Written beside and renamed, so that a reader sees the old one or the new one, mode 0640. On disk
// after the next sync (new_file.h syncs, and replaces nothing).
Status replace_file(const std::string& path, std::string_view bytes);

}  // namespace sallyport
