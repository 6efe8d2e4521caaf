// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <string>

namespace sallyport {

// Asks on the controlling terminal, without echo. The terminal is as before when this returns, also
// after Ctrl-C, which is an error here. Without a terminal an error that names --passphrase-file.
Result<SecretBytes> ask_passphrase(const std::string& question);

// The file's first line, without its end.
Result<SecretBytes> passphrase_from_file(const std::string& path);

}  // namespace sallyport
