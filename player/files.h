// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <string>
#include <string_view>

namespace sallyport {

// Whole small files (1 MiB at most). Errors name the path.
Result<std::string> read_small_file(const std::string& path);
Result<SecretBytes> read_secret_file(const std::string& path);

// A new file, readable by its owner only; one that exists is an error and stays as it is.
Status write_new_file(const std::string& path, std::string_view bytes);

}  // namespace sallyport
