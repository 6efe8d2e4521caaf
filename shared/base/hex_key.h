// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <string>

namespace sallyport {

// A key of 32 bytes from a regular file of 64 hex digits, with or without a newline; the offset of
// the descriptor is neither used nor moved. `path` is for the error.
Result<SecretBytes> read_hex_key(int fd, const std::string& path);

}  // namespace sallyport
