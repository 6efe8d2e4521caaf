// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <array>
#include <cstdint>
#include <span>

namespace sallyport {

// RFC 7748. Keys are 32 bytes; private keys need no clamping by the caller.
using X25519PublicKey = std::array<uint8_t, 32>;

SecretBytes x25519_generate();
X25519PublicKey x25519_public_key(std::span<const uint8_t> private_key);

// Refuses an all-zero result, which a low-order point would give (section 6.1).
Result<SecretBytes> x25519_shared_secret(std::span<const uint8_t> private_key,
                                         std::span<const uint8_t> public_key);

}  // namespace sallyport
