// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/hkdf.h"

#include "shared/base/handle.h"
#include "shared/crypto/algorithms.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <string>

namespace sallyport {

namespace {

// OSSL_PARAM takes pointers to mutable data, and promises to leave input parameters alone.
OSSL_PARAM octets(const char* name, std::span<const uint8_t> bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

void hkdf_sha256(std::span<const uint8_t> key, std::span<const uint8_t> salt, std::string_view info,
                 std::span<uint8_t> out) {
  const std::array<uint8_t, 32> no_salt{};
  const std::string info_copy(info);
  const std::span<const uint8_t> info_bytes(reinterpret_cast<const uint8_t*>(info_copy.data()),
                                            info_copy.size());
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      octets(OSSL_KDF_PARAM_KEY, key),
      octets(OSSL_KDF_PARAM_SALT, salt.empty() ? std::span<const uint8_t>(no_salt) : salt),
      octets(OSSL_KDF_PARAM_INFO, info_bytes), OSSL_PARAM_construct_end()};
  const Handle<EVP_KDF_CTX, EVP_KDF_CTX_free> kdf(EVP_KDF_CTX_new(algorithms().hkdf));
  require_openssl(kdf && openssl_ok(EVP_KDF_derive(kdf.get(), out.data(), out.size(), params)),
                  "HKDF-SHA256");
}

SecretBytes derive_key(std::span<const uint8_t> key, std::span<const uint8_t> salt,
                       std::string_view info) {
  SecretBytes derived(32);
  hkdf_sha256(key, salt, info, derived.span());
  return derived;
}

}  // namespace sallyport
