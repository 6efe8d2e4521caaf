// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/algorithms.h"

#include "shared/base/log.h"
#include "shared/crypto/aead.h"
#include "shared/crypto/hkdf.h"
#include "shared/crypto/random.h"
#include "shared/crypto/sha256.h"
#include "shared/crypto/x25519.h"

#include <array>
#include <cstdint>
#include <string>

namespace sallyport {

void require_openssl(bool done, std::string_view what) {
  if (!done) {
    fatal("OpenSSL failed: " + std::string(what));
  }
}

const Algorithms& algorithms() {
  static const Algorithms kAll = [] {
    Algorithms all{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr),
                   EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr),
                   EVP_MD_fetch(nullptr, "SHA256", nullptr),
                   EVP_KDF_fetch(nullptr, "HKDF", nullptr),
                   EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
    require_openssl(all.aes_256_gcm && all.sha256 && all.hkdf && all.hmac,
                    "AES-256-GCM, SHA256, HKDF or HMAC is missing");
    require_openssl(all.chacha20_poly1305, "ChaCha20-Poly1305 is missing (a FIPS configuration?)");
    return all;
  }();
  return kAll;
}

void prepare_crypto() {
  std::array<uint8_t, 32> bytes{};
  random_fill(bytes);
  const std::array<uint8_t, kAeadNonceBytes> nonce{};
  for (const AeadCipher cipher : {AeadCipher::aes_256_gcm, AeadCipher::chacha20_poly1305}) {
    std::vector<uint8_t> sealed;
    Aead(cipher, bytes).seal(nonce, {}, bytes, sealed);
  }
  hkdf_sha256(bytes, {}, "prepare", bytes);
  const Sha256Digest digest = hmac_sha256(bytes, bytes);
  const Sha256Digest again = sha256(digest);
  static_cast<void>(x25519_public_key(again));
}

}  // namespace sallyport
