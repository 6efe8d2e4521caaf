// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/prepare.h"

#include "shared/base/handle.h"
#include "shared/crypto/algorithms.h"

#include <libssh/libssh.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

namespace sallyport {

namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::array<unsigned char, 32> kNothing{};

void rehearse_digest(const EVP_MD* digest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  require_openssl(openssl_ok(EVP_Digest(kNothing.data(), kNothing.size(), out.data(), nullptr,
                                        digest, nullptr)),
                  "a digest of SSH's");
}

void rehearse_cipher(const EVP_CIPHER* cipher) {
  for (const int encrypt : {0, 1}) {
    const CipherContext context(EVP_CIPHER_CTX_new());
    require_openssl(openssl_ok(EVP_CipherInit_ex(context.get(), cipher, nullptr, kNothing.data(),
                                                 kNothing.data(), encrypt)),
                    "a cipher of SSH's");
  }
}

void rehearse_exchange(const Key& key) {
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  std::array<unsigned char, 64> secret;
  size_t size = secret.size();
  require_openssl(key && openssl_ok(EVP_PKEY_derive_init(context.get())) &&
                      openssl_ok(EVP_PKEY_derive_set_peer(context.get(), key.get())) &&
                      openssl_ok(EVP_PKEY_derive(context.get(), secret.data(), &size)),
                  "a key exchange of SSH's");
}

void rehearse_signature(const Key& key, const EVP_MD* digest) {
  const DigestContext sign(EVP_MD_CTX_new());
  const DigestContext verify(EVP_MD_CTX_new());
  std::array<unsigned char, 128> signature;
  size_t size = signature.size();
  require_openssl(
      key && openssl_ok(EVP_DigestSignInit(sign.get(), nullptr, digest, nullptr, key.get())) &&
          openssl_ok(EVP_DigestSign(sign.get(), signature.data(), &size, kNothing.data(),
                                    kNothing.size())) &&
          openssl_ok(EVP_DigestVerifyInit(verify.get(), nullptr, digest, nullptr, key.get())) &&
          openssl_ok(EVP_DigestVerify(verify.get(), signature.data(), size, kNothing.data(),
                                      kNothing.size())),
      "a signature of SSH's");
}

}  // namespace

void prepare_ssh() {
  ssh_init();
  // OpenSSL reads its configuration and seeds itself lazily.
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  unsigned char seed = 0;
  RAND_bytes(&seed, 1);

  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha256(), EVP_sha512()}) {
    rehearse_digest(digest);
  }
  rehearse_cipher(EVP_aes_128_gcm());
  rehearse_cipher(EVP_aes_256_gcm());
  rehearse_exchange(Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")));
  rehearse_signature(Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), nullptr);
  rehearse_signature(Key(EVP_EC_gen("P-256")), EVP_sha256());
}

}  // namespace sallyport
