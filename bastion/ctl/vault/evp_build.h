// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/ssh/pkcs8.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport {

// OpenSSL keys from the numbers in a key file, each big-endian without leading zeros. That private
// and public half belong together is checked here for Ed25519, and for every key by keyd.
Result<EvpKey> build_ed25519(std::span<const uint8_t> point,
                             std::span<const uint8_t> seed_and_point);
Result<EvpKey> build_ecdsa(std::string_view curve, std::span<const uint8_t> point,
                           std::span<const uint8_t> scalar);

struct RsaNumbers {
  std::span<const uint8_t> n, e, d, iqmp, p, q;
};
Result<EvpKey> build_rsa(const RsaNumbers& numbers);

}  // namespace sallyport
