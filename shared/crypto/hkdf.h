// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/secret_bytes.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport {

// RFC 5869 with SHA-256, extract and expand. `out` may be 1 to 8160 bytes and may be `key` itself;
// an empty salt is the RFC's 32 zero bytes.
void hkdf_sha256(std::span<const uint8_t> key, std::span<const uint8_t> salt, std::string_view info,
                 std::span<uint8_t> out);

// The 32 bytes that most callers want.
SecretBytes derive_key(std::span<const uint8_t> key, std::span<const uint8_t> salt,
                       std::string_view info);

}  // namespace sallyport
