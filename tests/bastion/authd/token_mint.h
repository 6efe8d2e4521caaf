// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"

#include <openssl/evp.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sallyport::test {

// Mints tokens with OpenSSL alone, good ones and others: nothing of the code under test is used.
class TestKey {
public:
  static TestKey rsa(const std::string& kid, unsigned bits = 2048);
  static TestKey ec(const std::string& kid, const std::string& curve = "P-256");
  static TestKey ed25519(const std::string& kid);

  const std::string& kid() const { return kid_; }
  nlohmann::json jwk() const;          // the public half, with kid and use
  nlohmann::json private_jwk() const;  // RSA only
  std::string public_pem() const;
  // By the JWS rules for alg: raw r||s for ES, salt as long as the digest for PS.
  std::string sign(const std::string& alg, const std::string& input) const;
  std::string sign_der(const std::string& input) const;  // SHA-256, ECDSA as DER

private:
  TestKey(std::string kid, EVP_PKEY* key) : kid_(std::move(kid)), key_(key) {}
  std::string sign_with(const EVP_MD* digest, bool pss, const std::string& input) const;

  std::string kid_;
  Handle<EVP_PKEY, EVP_PKEY_free> key_;
};

std::string base64url(const std::string& bytes);
std::string hmac(const std::string& digest, const std::string& key, const std::string& input);
// The two parts before the signature, of texts that need not be JSON.
std::string signing_input(const std::string& header, const std::string& payload);

}  // namespace sallyport::test
