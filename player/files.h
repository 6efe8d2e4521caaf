// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <string>

namespace sallyport {

// Whole small files (1 MiB at most). Errors name the path.
Result<std::string> read_small_file(const std::string& path);
Result<SecretBytes> read_secret_file(const std::string& path);

}  // namespace sallyport
