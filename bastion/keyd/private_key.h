// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/keyd/public_key.h"
#include "shared/base/result.h"
#include "shared/ssh/pkcs8.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sallyport {

enum class KeyType { ed25519, ecdsa_p256, rsa_3072 };
EvpKey generate_key(KeyType type);  // fatal() when OpenSSL cannot

// Reads a key that came from outside and proves that its two halves belong together: it signs, and
// the public half verifies.
Result<EvpKey> import_key(std::span<const uint8_t> pkcs8);

// The names under which a key of this type may sign; ssh-rsa (SHA-1) is not among them.
bool may_sign_as(const PublicKey& key, std::string_view algorithm);

// The signature blob (RFC 4253 section 6.6, RFC 5656 section 3.1.2, RFC 8332 section 3, RFC 8709
// section 6) over `data`. `algorithm` is one that may_sign_as() allows.
Result<std::vector<uint8_t>> ssh_sign(EVP_PKEY& key, std::string_view algorithm,
                                      std::span<const uint8_t> data);

}  // namespace sallyport
