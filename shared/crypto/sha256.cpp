// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/sha256.h"

#include "shared/crypto/algorithms.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

namespace sallyport {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require_openssl(
      context_ && openssl_ok(EVP_DigestInit_ex2(context_.get(), algorithms().sha256, nullptr)),
      "SHA-256");
}

Sha256::Sha256(const Sha256& other) : context_(EVP_MD_CTX_new()) {
  require_openssl(
      context_ && openssl_ok(EVP_MD_CTX_copy_ex(context_.get(), other.context_.get())), "SHA-256");
}

Sha256& Sha256::update(std::span<const uint8_t> bytes) {
  require_openssl(openssl_ok(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())),
                  "SHA-256 update");
  return *this;
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest;
  require_openssl(openssl_ok(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr)) &&
                      openssl_ok(EVP_DigestInit_ex2(context_.get(), nullptr, nullptr)),
                  "SHA-256 finish");
  return digest;
}

Sha256Digest sha256(std::span<const uint8_t> bytes) {
  return Sha256().update(bytes).finish();
}

Sha256Digest hmac_sha256(std::span<const uint8_t> key, std::span<const uint8_t> message) {
  const Handle<EVP_MAC_CTX, EVP_MAC_CTX_free> mac(EVP_MAC_CTX_new(algorithms().hmac));
  char digest_name[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
      OSSL_PARAM_construct_end()};
  Sha256Digest out;
  size_t length = 0;
  const bool done = mac && openssl_ok(EVP_MAC_init(mac.get(), key.data(), key.size(), params)) &&
                    openssl_ok(EVP_MAC_update(mac.get(), message.data(), message.size())) &&
                    openssl_ok(EVP_MAC_final(mac.get(), out.data(), &length, out.size()));
  require_openssl(done && length == out.size(), "HMAC-SHA256");
  return out;
}

bool equal_in_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sallyport
