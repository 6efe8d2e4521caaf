// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/public_key.h"

#include "shared/base/handle.h"
#include "shared/base/hex.h"
#include "shared/crypto/ssh_fingerprint.h"
#include "shared/ssh/wire.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include <array>
#include <optional>

namespace sallyport {

namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr size_t kEd25519Bytes = 32;

struct Curve {
  std::string_view openssl_name;
  std::string_view ssh_name;
  size_t point_bytes;  // uncompressed
};
constexpr Curve kCurves[] = {
    {"prime256v1", "nistp256", 65}, {"secp384r1", "nistp384", 97}, {"secp521r1", "nistp521", 133}};

Error unsupported(const std::string& what) {
  ERR_clear_error();
  return Error{Errc::invalid, what +
                                  " keys are not supported: the vault takes Ed25519, ECDSA (P-256, "
                                  "P-384, P-521) and RSA of 2048 to 8192 bits"};
}

Result<PublicKey> ed25519_key(const EVP_PKEY& key) {
  std::array<uint8_t, kEd25519Bytes> raw{};
  size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(&key, raw.data(), &size) != 1 || size != raw.size()) {
    return unsupported("these Ed25519");
  }
  return PublicKey{"ssh-ed25519", SshWriter().string("ssh-ed25519").string(raw).take()};
}

Result<PublicKey> ecdsa_key(const EVP_PKEY& key) {
  std::array<char, 64> group{};
  if (EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                     nullptr) != 1) {
    return unsupported("ECDSA keys with explicit parameters; such");
  }
  for (const Curve& curve : kCurves) {
    if (curve.openssl_name != group.data()) {
      continue;
    }
    std::array<uint8_t, 133> point{};
    size_t size = 0;
    if (EVP_PKEY_get_octet_string_param(&key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                        &size) != 1 ||
        size != curve.point_bytes || point[0] != 4) {
      return unsupported("ECDSA keys without an uncompressed point; such");
    }
    const std::string algorithm = "ecdsa-sha2-" + std::string(curve.ssh_name);
    return PublicKey{algorithm, SshWriter()
                                    .string(algorithm)
                                    .string(curve.ssh_name)
                                    .string(std::span(point).first(size))
                                    .take()};
  }
  return unsupported("ECDSA " + std::string(group.data()));
}

std::optional<std::vector<uint8_t>> number(const EVP_PKEY& key, const char* name) {
  BIGNUM* bn = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &bn) != 1) {
    return std::nullopt;
  }
  const Handle<BIGNUM, BN_free> owned(bn);
  std::vector<uint8_t> bytes(static_cast<size_t>(BN_num_bytes(bn)));
  BN_bn2bin(bn, bytes.data());
  return bytes;
}

Result<PublicKey> rsa_key(const EVP_PKEY& key) {
  const int bits = EVP_PKEY_get_bits(&key);
  const auto modulus = number(key, OSSL_PKEY_PARAM_RSA_N);
  const auto exponent = number(key, OSSL_PKEY_PARAM_RSA_E);
  if (bits < kMinRsaBits || bits > kMaxRsaBits || !modulus || !exponent) {
    return unsupported("RSA " + std::to_string(bits) + " bit");
  }
  return PublicKey{"ssh-rsa",
                   SshWriter().string("ssh-rsa").mpint(*exponent).mpint(*modulus).take()};
}

}  // namespace

Result<PublicKey> ssh_public_key(const EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, "ED25519") == 1) {
    return ed25519_key(key);
  }
  if (EVP_PKEY_is_a(&key, "EC") == 1) {
    return ecdsa_key(key);
  }
  if (EVP_PKEY_is_a(&key, "RSA") == 1) {
    return rsa_key(key);
  }
  const char* type = EVP_PKEY_get0_type_name(&key);
  return unsupported(type == nullptr ? "such" : type);
}

std::string authorized_keys_line(const PublicKey& key, std::string_view comment) {
  return key.algorithm + " " + to_base64(key.blob) + " " + std::string(comment);
}

Result<PublicKey> public_key_from_line(std::string_view line) {
  const size_t space = line.find(' ');
  const std::string_view algorithm = line.substr(0, space);
  std::string_view encoded = space == std::string_view::npos ? "" : line.substr(space + 1);
  encoded = encoded.substr(0, encoded.find_first_of(" \t\r\n"));
  auto blob = from_base64(encoded);
  if (!blob || blob->empty() || SshReader(*blob).text() != algorithm) {
    return Error{Errc::invalid, "not a public key (\"ssh-ed25519 AAAA...\")"};
  }
  return PublicKey{std::string(algorithm), std::move(*blob)};
}

std::string fingerprint(std::span<const uint8_t> blob) {
  return ssh_fingerprint(blob);
}

}  // namespace sallyport
