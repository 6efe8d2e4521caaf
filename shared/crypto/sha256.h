// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <span>

namespace sallyport {

using Sha256Digest = std::array<uint8_t, 32>;

// FIPS 180-4, piece by piece. finish() begins anew, so one object serves for many messages.
class Sha256 {
public:
  Sha256();
  Sha256(const Sha256& other);  // of what came so far
  Sha256& operator=(const Sha256&) = delete;
  Sha256(Sha256&&) = default;
  Sha256& operator=(Sha256&&) = default;
  Sha256& update(std::span<const uint8_t> bytes);
  Sha256Digest finish();

private:
  Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_;
};

Sha256Digest sha256(std::span<const uint8_t> bytes);

// RFC 2104.
Sha256Digest hmac_sha256(std::span<const uint8_t> key, std::span<const uint8_t> message);

// Takes the same time whatever differs; different lengths are unequal.
bool equal_in_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b);

}  // namespace sallyport
