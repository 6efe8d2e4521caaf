// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/private_key.h"

#include "shared/base/handle.h"
#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/ssh/wire.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include <algorithm>
#include <string>

namespace sallyport {

namespace {

using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

// What OpenSSL's EVP_DigestSign calls the algorithm's hash; nullptr for Ed25519, which has its own.
struct SignatureAlgorithm {
  std::string_view name;
  std::string_view key;  // the type of key that makes it
  const char* digest;
};
constexpr SignatureAlgorithm kAlgorithms[] = {
    {"ssh-ed25519", "ssh-ed25519", nullptr},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "SHA256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "SHA384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "SHA512"},
    {"rsa-sha2-256", "ssh-rsa", "SHA256"},
    {"rsa-sha2-512", "ssh-rsa", "SHA512"},
};

Error openssl_error(std::string_view what) {
  ERR_clear_error();
  return Error{Errc::internal, std::string(what)};
}

Result<std::vector<uint8_t>> raw_signature(EVP_PKEY& key, const char* digest,
                                           std::span<const uint8_t> data) {
  const DigestContext context(EVP_MD_CTX_new());
  size_t size = 0;
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, digest, nullptr, nullptr, &key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size()) != 1) {
    return openssl_error("OpenSSL cannot sign with this key");
  }
  std::vector<uint8_t> signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) != 1) {
    return openssl_error("OpenSSL cannot sign with this key");
  }
  signature.resize(size);
  return signature;
}

std::vector<uint8_t> big_endian(const BIGNUM* number) {
  std::vector<uint8_t> bytes(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return bytes;
}

// OpenSSL's ECDSA-Sig-Value (DER) as RFC 5656 writes it.
Result<std::vector<uint8_t>> ecdsa_for_ssh(std::span<const uint8_t> der) {
  const unsigned char* p = der.data();
  const Handle<ECDSA_SIG, ECDSA_SIG_free> parsed(
      d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size())));
  if (!parsed) {
    return openssl_error("OpenSSL made an ECDSA signature that it cannot read");
  }
  return SshWriter()
      .mpint(big_endian(ECDSA_SIG_get0_r(parsed.get())))
      .mpint(big_endian(ECDSA_SIG_get0_s(parsed.get())))
      .take();
}

bool verifies(EVP_PKEY& key, const char* digest, std::span<const uint8_t> signature,
              std::span<const uint8_t> data) {
  const DigestContext context(EVP_MD_CTX_new());
  const bool good = context &&
                    EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, &key,
                                            nullptr) == 1 &&
                    EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(),
                                     data.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace

EvpKey generate_key(KeyType type) {
  EVP_PKEY* key = nullptr;
  switch (type) {
    case KeyType::ed25519:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
      break;
    case KeyType::ecdsa_p256:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
      break;
    case KeyType::rsa_3072:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{3072});
      break;
  }
  if (key == nullptr) {
    fatal("OpenSSL cannot generate a key");
  }
  return EvpKey(key);
}

Result<EvpKey> import_key(std::span<const uint8_t> pkcs8) {
  auto key = from_pkcs8(pkcs8);
  if (!key) {
    return key.error();
  }
  const auto public_key = ssh_public_key(**key);
  if (!public_key) {
    return public_key.error();
  }
  const auto algorithm =
      std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                   [&](const auto& a) { return a.key == public_key->algorithm; });
  const auto probe = as_bytes("sallyport: does this key sign?");
  const auto signature = raw_signature(**key, algorithm->digest, probe);
  if (!signature || !verifies(**key, algorithm->digest, *signature, probe)) {
    return Error{Errc::invalid, "this key is damaged: its two halves do not belong together"};
  }
  return key;
}

bool may_sign_as(const PublicKey& key, std::string_view algorithm) {
  return std::any_of(std::begin(kAlgorithms), std::end(kAlgorithms),
                     [&](const auto& a) { return a.name == algorithm && a.key == key.algorithm; });
}

Result<std::vector<uint8_t>> ssh_sign(EVP_PKEY& key, std::string_view algorithm,
                                      std::span<const uint8_t> data) {
  const auto* found = std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                                   [&](const auto& a) { return a.name == algorithm; });
  if (found == std::end(kAlgorithms)) {
    return Error{Errc::invalid, "no such signature algorithm"};
  }
  auto signature = raw_signature(key, found->digest, data);
  if (signature && algorithm.starts_with("ecdsa-")) {
    signature = ecdsa_for_ssh(*signature);
  }
  if (!signature) {
    return signature.error();
  }
  return SshWriter().string(algorithm).string(*signature).take();
}

}  // namespace sallyport
