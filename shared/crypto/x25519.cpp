// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/x25519.h"

#include "shared/base/handle.h"
#include "shared/crypto/algorithms.h"
#include "shared/crypto/random.h"
#include "shared/crypto/sha256.h"

#include <openssl/err.h>
#include <openssl/evp.h>

namespace sallyport {

namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;

Key load_private(std::span<const uint8_t> bytes) {
  Key key(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, bytes.data(), bytes.size()));
  require_openssl(key != nullptr, "X25519 private key");
  return key;
}

}  // namespace

SecretBytes x25519_generate() {
  SecretBytes key(32);
  random_fill(key.span());
  return key;
}

X25519PublicKey x25519_public_key(std::span<const uint8_t> private_key) {
  const Key key = load_private(private_key);
  X25519PublicKey out;
  size_t length = out.size();
  require_openssl(openssl_ok(EVP_PKEY_get_raw_public_key(key.get(), out.data(), &length)) &&
                      length == out.size(),
                  "X25519 public key");
  return out;
}

Result<SecretBytes> x25519_shared_secret(std::span<const uint8_t> private_key,
                                         std::span<const uint8_t> public_key) {
  const Key ours = load_private(private_key);
  const Key theirs(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, public_key.data(),
                                                  public_key.size()));
  const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, ours.get(), nullptr));
  SecretBytes shared(32);
  size_t length = shared.size();
  // OpenSSL 3 itself fails on an all-zero result; the comparison keeps that ours.
  const bool done = theirs && context && openssl_ok(EVP_PKEY_derive_init(context.get())) &&
                    openssl_ok(EVP_PKEY_derive_set_peer(context.get(), theirs.get())) &&
                    openssl_ok(EVP_PKEY_derive(context.get(), shared.data(), &length)) &&
                    length == shared.size();
  if (!done || equal_in_constant_time(shared.span(), X25519PublicKey{})) {
    ERR_clear_error();
    return Error{Errc::invalid, "the X25519 public key is not usable (a low-order point)"};
  }
  return shared;
}

}  // namespace sallyport
