// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/ssh_signature.h"

#include "shared/base/handle.h"
#include "shared/ssh/wire.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using Number = Handle<BIGNUM, BN_free>;
using Bytes = std::span<const uint8_t>;

constexpr size_t kEd25519Bytes = 32;
constexpr size_t kMinRsaBytes = 2048 / 8;
constexpr size_t kMaxRsaBytes = 16384 / 8;

constexpr std::string_view kEcdsa = "ecdsa-sha2-";

struct Algorithm {
  std::string_view signature;
  std::string_view key;
  const char* group;  // of ECDSA
  const char* digest;
};
constexpr Algorithm kAlgorithms[] = {
    {"ssh-ed25519", "ssh-ed25519", nullptr, nullptr},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "P-256", "SHA256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "P-384", "SHA384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "P-521", "SHA512"},
    {"rsa-sha2-256", "ssh-rsa", nullptr, "SHA256"},
    {"rsa-sha2-512", "ssh-rsa", nullptr, "SHA512"},
};

Key from_parameters(const char* type, OSSL_PARAM_BLD* build) {
  const Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(build));
  const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    EVP_PKEY_free(key);
    return nullptr;
  }
  return Key(key);
}

Key read_ed25519(SshReader& in) {
  const auto point = in.string();
  return in.complete() && point.size() == kEd25519Bytes
             ? Key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, point.data(),
                                               point.size()))
             : nullptr;
}

// OpenSSL checks that the point is on the curve. Compressed and hybrid points would be further
// blobs of the same key; RFC 5656 section 3.1 lets anybody refuse them, and OpenSSH does.
Key read_ecdsa(SshReader& in, const Algorithm& algorithm) {
  const auto curve = in.text();
  const auto point = in.string();
  const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> build(OSSL_PARAM_BLD_new());
  if (!in.complete() || curve != algorithm.key.substr(kEcdsa.size()) || point.empty() ||
      point.front() != POINT_CONVERSION_UNCOMPRESSED || !build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, algorithm.group,
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return from_parameters("EC", build.get());
}

Number to_number(Bytes bytes) {
  return Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

Key read_rsa(SshReader& in) {
  const auto exponent = in.mpint();
  const auto modulus = in.mpint();
  if (!in.complete() || exponent.empty() || exponent.size() > sizeof(uint64_t) ||
      modulus.size() < kMinRsaBytes || modulus.size() > kMaxRsaBytes) {
    return nullptr;
  }
  const Number e = to_number(exponent);
  const Number n = to_number(modulus);
  const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> build(OSSL_PARAM_BLD_new());
  if (!e || !n || !build ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1) {
    return nullptr;
  }
  return from_parameters("RSA", build.get());
}

Key read_key(Bytes blob, const Algorithm& algorithm) {
  SshReader in(blob);
  if (in.text() != algorithm.key) {
    return nullptr;
  }
  return algorithm.group != nullptr    ? read_ecdsa(in, algorithm)
         : algorithm.digest != nullptr ? read_rsa(in)
                                       : read_ed25519(in);
}

// RFC 5656 section 3.1.2: two mpints, of which OpenSSL wants DER. Empty where they are not.
std::vector<uint8_t> to_der(Bytes signature) {
  SshReader in(signature);
  Number r = to_number(in.mpint());
  Number s = to_number(in.mpint());
  const Handle<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
  if (!in.complete() || !r || !s || !pair ||
      ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1) {
    return {};
  }
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  std::vector<uint8_t> der(size > 0 ? static_cast<size_t>(size) : 0);
  unsigned char* end = der.data();
  if (size > 0) {
    i2d_ECDSA_SIG(pair.get(), &end);
  }
  return der;
}

bool verify(EVP_PKEY* key, const char* digest, Bytes data, Bytes signature) {
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key, nullptr) ==
             1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(),
                          data.size()) == 1;
}

const Algorithm* find_algorithm(std::string_view name) {
  for (const Algorithm& algorithm : kAlgorithms) {
    if (algorithm.signature == name) {
      return &algorithm;
    }
  }
  return nullptr;
}

}  // namespace

Status check_ssh_signature(Bytes key_blob, Bytes data, Bytes signature) {
  SshReader in(signature);
  const std::string name(in.text());
  const auto bytes = in.string();
  const Algorithm* algorithm = find_algorithm(name);
  if (!in.complete() || algorithm == nullptr) {
    return Error{Errc::invalid, name == "ssh-rsa"
                                    ? "is signed with SHA-1; sign it again with -t rsa-sha2-512"
                                    : "has a signature of a kind that is not known"};
  }
  const Key key = read_key(key_blob, *algorithm);
  bool good = false;
  if (key) {
    const auto der = algorithm->group != nullptr ? to_der(bytes) : std::vector<uint8_t>{};
    good = verify(key.get(), algorithm->digest, data,
                  algorithm->group != nullptr ? Bytes(der) : bytes);
  }
  ERR_clear_error();
  return good ? ok() : Status(Error{Errc::denied, "has a signature that is wrong"});
}

}  // namespace sallyport
