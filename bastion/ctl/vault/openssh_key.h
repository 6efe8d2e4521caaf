// SPDX-License-Identifier: Apache-2.0
//
// OpenSSH's own private key format (openssh-portable/PROTOCOL.key):
//
//   "openssh-key-v1\0" cipher kdf kdf-options u32(1) public-key encrypted-section [tag]
//   section: u32 check, u32 check again, type, fields of the type, comment, 1 2 3 4 ... to a block
//
// Every length is checked, the section's padding too; what is left over is an error.
#pragma once

#include "bastion/ctl/vault/key_file.h"
#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport {

inline constexpr std::string_view kOpensshBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";

// `text` begins with kOpensshBegin. PKCS#8 DER.
Result<SecretBytes> read_openssh_key(std::string_view text, const AskPassphrase& ask);

// The decrypted section alone. Errc::denied where the two checks differ: a wrong passphrase.
Result<SecretBytes> read_openssh_section(std::span<const uint8_t> section, size_t block_bytes);

}  // namespace sallyport
