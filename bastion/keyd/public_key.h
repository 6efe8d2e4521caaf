// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <openssl/evp.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// A public key as SSH writes it: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4.
struct PublicKey {
  std::string algorithm;  // "ssh-ed25519"; what the blob begins with
  std::vector<uint8_t> blob;
  bool operator==(const PublicKey&) const = default;
};

// Errc::invalid for every kind that the vault does not take: it takes Ed25519, ECDSA on P-256,
// P-384 and P-521, and RSA of 2048 to 8192 bits. The text says so.
Result<PublicKey> ssh_public_key(const EVP_PKEY& key);

// "ssh-ed25519 AAAA... comment": a line for authorized_keys.
std::string authorized_keys_line(const PublicKey& key, std::string_view comment);
// Reads such a line, of any key type; what follows the blob is ignored.
Result<PublicKey> public_key_from_line(std::string_view line);
std::string fingerprint(std::span<const uint8_t> blob);  // "SHA256:..." as ssh-keygen -l

}  // namespace sallyport
