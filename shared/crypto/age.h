// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"
#include "shared/crypto/age_keys.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sallyport {

// Binary age v1 files (C2SP age.md) for X25519 recipients: what `age -r` writes and `age -d` opens.
//
//   "age-encryption.org/v1\n" stanza+ "--- " base64(HMAC) "\n" nonce16 chunk+
//
// In memory, meant for small things (a recording's data key); armor and passphrases are not known.
constexpr size_t kAgeMaxHeaderBytes = 64 * 1024;
constexpr size_t kAgeMaxStanzas = 64;

// Errc::invalid: no recipient, more than kAgeMaxStanzas, or one that is a low-order point.
Result<std::vector<uint8_t>> age_encrypt(std::span<const uint8_t> plaintext,
                                         std::span<const AgeRecipient> recipients);

// Errc::corrupt: not an age file, or changed; Errc::denied: made for none of these identities.
// Nothing is returned unless header MAC and every chunk have been checked.
Result<SecretBytes> age_decrypt(std::span<const uint8_t> file,
                                std::span<const AgeIdentity> identities);

// By its first line.
bool is_age_file(std::span<const uint8_t> bytes);

// What it holds, without a key: as the header and the length have it, which may be a lie. None: not
// an age file, or cut off.
std::optional<size_t> age_plaintext_size(std::span<const uint8_t> file);

}  // namespace sallyport
