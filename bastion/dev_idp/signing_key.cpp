// SPDX-License-Identifier: Apache-2.0
#include "bastion/dev_idp/signing_key.h"

#include "shared/base/hex.h"
#include "shared/base/id.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace sallyport {
namespace {

constexpr unsigned int kRsaBits = 2048;

}  // namespace

std::string to_base64url(std::span<const uint8_t> bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) {
    text.pop_back();
  }
  for (char& c : text) {
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return text;
}

Result<SigningKey> SigningKey::make() {
  Key key(EVP_RSA_gen(kRsaBits));
  if (!key) {
    return Error{Errc::internal, "cannot make an RSA key"};
  }
  return SigningKey(std::move(key), Id::random().hex());
}

std::string SigningKey::public_number(const char* name) const {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key_.get(), name, &number) != 1) {
    return {};
  }
  const Handle<BIGNUM, BN_free> owner(number);
  std::vector<uint8_t> bytes(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return to_base64url(bytes);
}

std::string SigningKey::jwks() const {
  const nlohmann::json key = {{"kty", "RSA"},
                              {"use", "sig"},
                              {"alg", "RS256"},
                              {"kid", id_},
                              {"n", public_number(OSSL_PKEY_PARAM_RSA_N)},
                              {"e", public_number(OSSL_PKEY_PARAM_RSA_E)}};
  return nlohmann::json{{"keys", {key}}}.dump();
}

Result<std::string> SigningKey::sign(std::string_view payload) const {
  const std::string header = nlohmann::json{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", id_}}.dump();
  const std::string input = to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes(payload));
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  std::vector<uint8_t> signature(kRsaBits / 8);
  size_t length = signature.size();
  const auto text = as_bytes(input);
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, text.data(), text.size()) != 1) {
    return Error{Errc::internal, "cannot sign a token"};
  }
  signature.resize(length);
  return input + "." + to_base64url(signature);
}

}  // namespace sallyport
