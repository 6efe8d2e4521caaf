// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/vault/evp_build.h"

#include "shared/base/handle.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <string>
#include <vector>

namespace sallyport {

namespace {

constexpr size_t kEd25519Bytes = 32;
constexpr size_t kMaxNumberBytes = 1024;  // RSA 8192

Error not_a_key() {
  ERR_clear_error();
  return Error{Errc::invalid, "this key file is damaged: its numbers are not a key"};
}

// OSSL_PARAM wants numbers in the machine's order and only points at them; OpenSSL's own builder
// would copy them to memory that it does not wipe.
class KeyParameters {
public:
  void number(const char* name, std::span<const uint8_t> big_endian) {
    // OpenSSL refuses zero bytes, and a leading zero keeps a number from being read as negative.
    SecretBytes& copy = secrets_.emplace_back(big_endian.size() + 1);
    std::reverse_copy(big_endian.begin(), big_endian.end(), copy.data());
    if constexpr (std::endian::native == std::endian::big) {
      std::reverse(copy.span().begin(), copy.span().end());
    }
    parameters_.push_back(OSSL_PARAM_construct_BN(name, copy.data(), copy.size()));
  }
  void text(const char* name, std::string& value) {
    parameters_.push_back(OSSL_PARAM_construct_utf8_string(name, value.data(), value.size()));
  }
  void octets(const char* name, std::span<const uint8_t> value) {
    parameters_.push_back(
        OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(value.data()), value.size()));
  }
  Result<EvpKey> build(const char* type) {
    parameters_.push_back(OSSL_PARAM_construct_end());
    const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters_.data()) != 1) {
      EVP_PKEY_free(key);
      return not_a_key();
    }
    return EvpKey(key);
  }

private:
  std::deque<SecretBytes> secrets_;
  std::vector<OSSL_PARAM> parameters_;
};

using Number = Handle<BIGNUM, BN_clear_free>;

Number to_number(std::span<const uint8_t> bytes) {
  return Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

// d mod (prime - 1), which OpenSSH leaves out and OpenSSL wants.
Result<SecretBytes> crt_exponent(std::span<const uint8_t> d, std::span<const uint8_t> prime) {
  const Number exponent = to_number(d);
  const Number modulus = to_number(prime);
  const Number remainder(BN_new());
  const Handle<BN_CTX, BN_CTX_free> context(BN_CTX_secure_new());
  if (!exponent || !modulus || !remainder || !context || BN_is_zero(modulus.get()) ||
      BN_sub_word(modulus.get(), 1) != 1 || BN_is_zero(modulus.get())) {
    return not_a_key();
  }
  BN_set_flags(exponent.get(), BN_FLG_CONSTTIME);
  if (BN_mod(remainder.get(), exponent.get(), modulus.get(), context.get()) != 1) {
    return not_a_key();
  }
  SecretBytes bytes(static_cast<size_t>(BN_num_bytes(remainder.get())));
  BN_bn2bin(remainder.get(), bytes.data());
  return bytes;
}

}  // namespace

Result<EvpKey> build_ed25519(std::span<const uint8_t> point,
                             std::span<const uint8_t> seed_and_point) {
  if (point.size() != kEd25519Bytes || seed_and_point.size() != 2 * kEd25519Bytes) {
    return not_a_key();
  }
  EvpKey key(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed_and_point.data(),
                                             kEd25519Bytes));
  std::vector<uint8_t> derived(kEd25519Bytes);
  size_t size = derived.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), derived.data(), &size) != 1 ||
      !std::ranges::equal(derived, point) ||
      !std::ranges::equal(derived, seed_and_point.last(kEd25519Bytes))) {
    return not_a_key();
  }
  return key;
}

Result<EvpKey> build_ecdsa(std::string_view curve, std::span<const uint8_t> point,
                           std::span<const uint8_t> scalar) {
  std::string group = curve == "nistp256"   ? "P-256"
                      : curve == "nistp384" ? "P-384"
                      : curve == "nistp521" ? "P-521"
                                            : "";
  if (group.empty() || point.empty() || scalar.empty()) {
    return not_a_key();
  }
  KeyParameters parameters;
  parameters.text(OSSL_PKEY_PARAM_GROUP_NAME, group);
  parameters.octets(OSSL_PKEY_PARAM_PUB_KEY, point);
  parameters.number(OSSL_PKEY_PARAM_PRIV_KEY, scalar);
  return parameters.build("EC");
}

Result<EvpKey> build_rsa(const RsaNumbers& numbers) {
  for (const auto number : {numbers.n, numbers.e, numbers.d, numbers.iqmp, numbers.p, numbers.q}) {
    if (number.empty() || number.size() > kMaxNumberBytes) {
      return not_a_key();
    }
  }
  const auto dmp1 = crt_exponent(numbers.d, numbers.p);
  const auto dmq1 = crt_exponent(numbers.d, numbers.q);
  if (!dmp1 || !dmq1) {
    return not_a_key();
  }
  KeyParameters parameters;
  parameters.number(OSSL_PKEY_PARAM_RSA_N, numbers.n);
  parameters.number(OSSL_PKEY_PARAM_RSA_E, numbers.e);
  parameters.number(OSSL_PKEY_PARAM_RSA_D, numbers.d);
  parameters.number(OSSL_PKEY_PARAM_RSA_FACTOR1, numbers.p);
  parameters.number(OSSL_PKEY_PARAM_RSA_FACTOR2, numbers.q);
  parameters.number(OSSL_PKEY_PARAM_RSA_EXPONENT1, dmp1->span());
  parameters.number(OSSL_PKEY_PARAM_RSA_EXPONENT2, dmq1->span());
  parameters.number(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, numbers.iqmp);
  return parameters.build("RSA");
}

}  // namespace sallyport
