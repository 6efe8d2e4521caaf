// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <functional>
#include <string>

namespace sallyport {

// Called when, and only when, a key file turns out to be encrypted.
using AskPassphrase = std::function<Result<SecretBytes>()>;

// A private key file's content (OpenSSH's own format; PEM with PKCS#8, PKCS#1 or SEC1, encrypted or
// not) as PKCS#8 DER. Nothing is written to disk. Errors say what to do, in one line: wrong
// passphrase, a public key, a key type that the vault does not take, a damaged file.
Result<SecretBytes> read_private_key(const SecretBytes& file, const AskPassphrase& ask);

// A regular file or a pipe, at most 64 KiB.
Result<SecretBytes> read_secret_file(const std::string& path);

}  // namespace sallyport
