// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport {

// The ciphers that ssh-keygen -Z offers for key files.
struct OpensshCipher {
  std::string_view name;  // OpenSSH's
  const char* openssl;    // nullptr: chacha20-poly1305@openssh.com, which is not RFC 8439
  size_t key_bytes;
  size_t iv_bytes;
  size_t block_bytes;
  size_t tag_bytes;  // after the section
};

// nullptr when unknown; "none" is in the table.
const OpensshCipher* find_openssh_cipher(std::string_view name);

inline constexpr uint32_t kMaxBcryptRounds = 2048;  // about half a minute; ssh-keygen's default: 16

// sealed: the section and its tag. Errc::denied: a wrong passphrase, found by the tag.
Result<SecretBytes> openssh_decrypt(const OpensshCipher& cipher, std::span<const uint8_t> salt,
                                    uint32_t rounds, const SecretBytes& passphrase,
                                    std::span<const uint8_t> sealed);

}  // namespace sallyport
