// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sallyport {

// Data at rest under a key that its owner holds (keyd's vault, authd's remembered keys).
//
//   "SPSEAL" 01 00 | salt 16 | AES-256-GCM(key', nonce 0, aad = the 24 bytes before, plaintext) |
//   tag key' = HKDF-SHA256(key, salt, "sallyport sealed/1 " ‖ context)
//
// Each call draws a fresh salt, so each message has a key of its own and the nonce may be fixed.
// `context` says what the bytes are ("vault key web1"): a blob copied to another place, or renamed,
// does not open. `key` is 32 bytes.
constexpr size_t kSealedOverhead = 8 + 16 + 16;

std::vector<uint8_t> seal_bytes(std::span<const uint8_t> key, std::string_view context,
                                std::span<const uint8_t> plaintext);

// Errc::corrupt: not such a blob, another version, another key or context, or changed.
Result<SecretBytes> open_sealed(std::span<const uint8_t> key, std::string_view context,
                                std::span<const uint8_t> sealed);

}  // namespace sallyport
