// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstddef>
#include <string>
#include <vector>

namespace sallyport {

// The one name that begins with `prefix` (4 characters or more, or the whole name). Errors say that
// none or several do; `what` is "session", `list_command` shows them.
Result<size_t> find_unique_prefix(const std::string& prefix, const std::vector<std::string>& names,
                                  const std::string& what, const std::string& list_command);

}  // namespace sallyport
