// SPDX-License-Identifier: Apache-2.0
#include "tests/bastion/authd/token_mint.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace sallyport::test {
namespace {

using Bignum = Handle<BIGNUM, BN_free>;

std::string number(const EVP_PKEY* key, const char* name, size_t width = 0) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) {
    throw std::runtime_error(name);
  }
  const Bignum value(raw);
  std::string out(width > 0 ? width : static_cast<size_t>(BN_num_bytes(value.get())), '\0');
  BN_bn2binpad(value.get(), reinterpret_cast<unsigned char*>(out.data()),
               static_cast<int>(out.size()));
  return out;
}

size_t curve_bytes(const EVP_PKEY* key) {
  return (static_cast<size_t>(EVP_PKEY_get_bits(key)) + 7) / 8;
}

std::string raw_from_der(const std::string& der, size_t width) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const Handle<ECDSA_SIG, ECDSA_SIG_free> signature(
      d2i_ECDSA_SIG(nullptr, &data, static_cast<long>(der.size())));
  std::string out(2 * width, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes, static_cast<int>(width));
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes + width, static_cast<int>(width));
  return out;
}

const EVP_MD* digest_of(const std::string& alg) {
  return EVP_get_digestbyname(("SHA" + alg.substr(2)).c_str());
}

}  // namespace

TestKey TestKey::rsa(const std::string& kid, unsigned bits) {
  return {kid, EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(bits))};
}
TestKey TestKey::ec(const std::string& kid, const std::string& curve) {
  return {kid, EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.c_str())};
}
TestKey TestKey::ed25519(const std::string& kid) {
  return {kid, EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
}

nlohmann::json TestKey::jwk() const {
  nlohmann::json jwk = {{"kid", kid_}, {"use", "sig"}};
  const EVP_PKEY* key = key_.get();
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    jwk["kty"] = "RSA";
    jwk["n"] = base64url(number(key, OSSL_PKEY_PARAM_RSA_N));
    jwk["e"] = base64url(number(key, OSSL_PKEY_PARAM_RSA_E));
  } else if (EVP_PKEY_is_a(key, "EC") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    jwk["kty"] = "EC";
    jwk["crv"] = "P-" + std::to_string(bits);
    jwk["x"] = base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_X, curve_bytes(key)));
    jwk["y"] = base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_Y, curve_bytes(key)));
  } else {
    std::string raw(32, '\0');
    size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size);
    jwk["kty"] = "OKP";
    jwk["crv"] = "Ed25519";
    jwk["x"] = base64url(raw);
  }
  return jwk;
}

nlohmann::json TestKey::private_jwk() const {
  nlohmann::json out = jwk();
  const std::pair<const char*, const char*> members[] = {
      {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
      {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
      {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
  for (const auto& [name, parameter] : members) {
    out[name] = base64url(number(key_.get(), parameter));
  }
  return out;
}

std::string TestKey::public_pem() const {
  const Handle<BIO, BIO_free_all> memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(memory.get(), key_.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<size_t>(size)};
}

std::string TestKey::sign_with(const EVP_MD* digest, bool pss, const std::string& input) const {
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  EVP_DigestSignInit(context.get(), &options, digest, nullptr, key_.get());
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  const auto* data = reinterpret_cast<const unsigned char*>(input.data());
  size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, data, input.size());
  std::vector<unsigned char> signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, data, input.size()) != 1) {
    throw std::runtime_error("signing failed");
  }
  return {signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(size)};
}

std::string TestKey::sign(const std::string& alg, const std::string& input) const {
  if (alg == "EdDSA") {
    return sign_with(nullptr, false, input);
  }
  const std::string signature = sign_with(digest_of(alg), alg[0] == 'P', input);
  return alg[0] == 'E' ? raw_from_der(signature, curve_bytes(key_.get())) : signature;
}

std::string TestKey::sign_der(const std::string& input) const {
  return sign_with(EVP_sha256(), false, input);
}

std::string base64url(const std::string& bytes) {
  std::string out(4 * (bytes.size() / 3 + 1) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  while (out.ends_with('=')) {
    out.pop_back();
  }
  for (char& c : out) {
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return out;
}

std::string hmac(const std::string& digest, const std::string& key, const std::string& input) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_get_digestbyname(digest.c_str()), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(input.data()), input.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

std::string signing_input(const std::string& header, const std::string& payload) {
  return base64url(header) + "." + base64url(payload);
}

}  // namespace sallyport::test
