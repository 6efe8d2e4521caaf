// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <span>

namespace sallyport {

// Whether `signature` (RFC 4253 section 6.6, 5656, 8332, 8709: algorithm and bytes) over `data` is
// good under the public key `key` (its blob). Ed25519, ECDSA on P-256, P-384, P-521, and RSA of
// 2048 to 16384 bits with SHA-2: not `ssh-rsa`, whose hash is SHA-1. A key has one blob that is
// taken. The error says what is wrong; Errc::denied: no more than that key, data and signature do
// not belong together.
Status check_ssh_signature(std::span<const uint8_t> key, std::span<const uint8_t> data,
                           std::span<const uint8_t> signature);

}  // namespace sallyport
