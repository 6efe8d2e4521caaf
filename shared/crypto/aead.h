// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

constexpr size_t kAeadKeyBytes = 32;
constexpr size_t kAeadNonceBytes = 12;
constexpr size_t kAeadTagBytes = 16;

enum class AeadCipher { aes_256_gcm, chacha20_poly1305 };  // RFC 5116, RFC 8439

// One key, many messages. The caller never uses a nonce twice with one key. The key lives in
// OpenSSL's context, which wipes it. Not for two threads at once. Messages are below 2 GiB.
class Aead {
public:
  Aead(AeadCipher cipher, std::span<const uint8_t> key);  // key: kAeadKeyBytes

  // Appends ciphertext ‖ tag to `out`.
  void seal(std::span<const uint8_t> nonce, std::span<const uint8_t> aad,
            std::span<const uint8_t> plaintext, std::vector<uint8_t>& out);

  // `sealed` is ciphertext ‖ tag; `out` has exactly sealed.size() - kAeadTagBytes. False, and `out`
  // wiped, when the tag does not fit: no unchecked plaintext is ever left behind.
  [[nodiscard]] bool open(std::span<const uint8_t> nonce, std::span<const uint8_t> aad,
                          std::span<const uint8_t> sealed, std::span<uint8_t> out);

private:
  void begin(std::span<const uint8_t> nonce, std::span<const uint8_t> aad, int encrypt);

  Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context_;
};

}  // namespace sallyport
