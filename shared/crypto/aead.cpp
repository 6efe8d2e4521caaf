// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/aead.h"

#include "shared/crypto/algorithms.h"

#include <openssl/crypto.h>

#include <climits>

namespace sallyport {

Aead::Aead(AeadCipher cipher, std::span<const uint8_t> key) : context_(EVP_CIPHER_CTX_new()) {
  const EVP_CIPHER* kind =
      cipher == AeadCipher::aes_256_gcm ? algorithms().aes_256_gcm : algorithms().chacha20_poly1305;
  require_openssl(
      context_ && key.size() == kAeadKeyBytes &&
          openssl_ok(EVP_CipherInit_ex2(context_.get(), kind, key.data(), nullptr, 1, nullptr)),
      "AEAD key");
}

void Aead::begin(std::span<const uint8_t> nonce, std::span<const uint8_t> aad, int encrypt) {
  int length = 0;
  require_openssl(nonce.size() == kAeadNonceBytes && aad.size() <= INT_MAX &&
                      openssl_ok(EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, nonce.data(),
                                                    encrypt, nullptr)),
                  "AEAD nonce");
  if (!aad.empty()) {
    require_openssl(openssl_ok(EVP_CipherUpdate(context_.get(), nullptr, &length, aad.data(),
                                                static_cast<int>(aad.size()))),
                    "AEAD associated data");
  }
}

void Aead::seal(std::span<const uint8_t> nonce, std::span<const uint8_t> aad,
                std::span<const uint8_t> plaintext, std::vector<uint8_t>& out) {
  require_openssl(plaintext.size() < INT_MAX, "AEAD message length");
  begin(nonce, aad, 1);
  const size_t start = out.size();
  out.resize(start + plaintext.size() + kAeadTagBytes);
  uint8_t* to = out.data() + start;
  int length = 0;
  const bool sealed = (plaintext.empty() ||
                       openssl_ok(EVP_CipherUpdate(context_.get(), to, &length, plaintext.data(),
                                                   static_cast<int>(plaintext.size())))) &&
                      openssl_ok(EVP_CipherFinal_ex(context_.get(), to + length, &length)) &&
                      openssl_ok(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG,
                                                     kAeadTagBytes, to + plaintext.size()));
  require_openssl(sealed, "AEAD seal");
}

bool Aead::open(std::span<const uint8_t> nonce, std::span<const uint8_t> aad,
                std::span<const uint8_t> sealed, std::span<uint8_t> out) {
  if (sealed.size() < kAeadTagBytes || sealed.size() > INT_MAX ||
      out.size() != sealed.size() - kAeadTagBytes) {
    return false;
  }
  begin(nonce, aad, 0);
  std::vector<uint8_t> tag(sealed.end() - kAeadTagBytes, sealed.end());
  uint8_t nothing = 0;
  int length = 0;
  const bool opened =
      openssl_ok(
          EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data())) &&
      (out.empty() || openssl_ok(EVP_CipherUpdate(context_.get(), out.data(), &length,
                                                  sealed.data(), static_cast<int>(out.size())))) &&
      openssl_ok(EVP_CipherFinal_ex(context_.get(), out.empty() ? &nothing : out.data() + length,
                                    &length));
  if (!opened) {
    OPENSSL_cleanse(out.data(), out.size());
  }
  return opened;
}

}  // namespace sallyport
