// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/vault/openssh_cipher.h"

#include "shared/base/handle.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <botan/pwdhash.h>

#include <algorithm>
#include <array>
#include <exception>

namespace sallyport {

namespace {

constexpr OpensshCipher kCiphers[] = {
    {"none", nullptr, 0, 0, 8, 0},
    {"aes256-ctr", "AES-256-CTR", 32, 16, 16, 0},
    {"aes192-ctr", "AES-192-CTR", 24, 16, 16, 0},
    {"aes128-ctr", "AES-128-CTR", 16, 16, 16, 0},
    {"aes256-cbc", "AES-256-CBC", 32, 16, 16, 0},
    {"aes192-cbc", "AES-192-CBC", 24, 16, 16, 0},
    {"aes128-cbc", "AES-128-CBC", 16, 16, 16, 0},
    {"3des-cbc", "DES-EDE3-CBC", 24, 8, 8, 0},
    {"aes256-gcm@openssh.com", "AES-256-GCM", 32, 12, 16, 16},
    {"aes128-gcm@openssh.com", "AES-128-GCM", 16, 12, 16, 16},
    {"chacha20-poly1305@openssh.com", nullptr, 64, 0, 8, 16},
};

using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Bytes = std::span<const uint8_t>;

Error wrong_passphrase() {
  ERR_clear_error();
  return Error{Errc::denied, "the passphrase is wrong, or the file is damaged"};
}

Result<SecretBytes> bcrypt_key(size_t size, Bytes salt, uint32_t rounds,
                               const SecretBytes& passphrase) {
  SecretBytes key(size);
  try {
    const auto family = Botan::PasswordHashFamily::create_or_throw("Bcrypt-PBKDF");
    family->from_params(rounds)->derive_key(key.data(), key.size(), passphrase.view().data(),
                                            passphrase.size(), salt.data(), salt.size());
  } catch (const std::exception& e) {
    return Error{Errc::internal, std::string("Botan's Bcrypt-PBKDF failed: ") + e.what()};
  }
  return key;
}

// One pass of an OpenSSL cipher without padding. tag: empty where the cipher has none.
Result<SecretBytes> openssl_decrypt(const char* name, Bytes key, Bytes iv, Bytes sealed,
                                    Bytes tag) {
  const Handle<EVP_CIPHER, EVP_CIPHER_free> cipher(EVP_CIPHER_fetch(nullptr, name, nullptr));
  const CipherContext context(EVP_CIPHER_CTX_new());
  SecretBytes plain(sealed.size());
  int size = 0;
  int last = 0;
  bool done =
      cipher && context &&
      EVP_DecryptInit_ex2(context.get(), cipher.get(), key.data(), iv.data(), nullptr) == 1 &&
      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1;
  if (done && !tag.empty()) {
    done = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                               const_cast<uint8_t*>(tag.data())) == 1;
  }
  done = done &&
         EVP_DecryptUpdate(context.get(), plain.data(), &size, sealed.data(),
                           static_cast<int>(sealed.size())) == 1 &&
         EVP_DecryptFinal_ex(context.get(), plain.data() + size, &last) == 1 &&
         static_cast<size_t>(size + last) == plain.size();
  if (!done) {
    return wrong_passphrase();
  }
  return plain;
}

bool poly1305_fits(Bytes key, Bytes message, Bytes tag) {
  const Handle<EVP_MAC, EVP_MAC_free> mac(EVP_MAC_fetch(nullptr, "POLY1305", nullptr));
  const Handle<EVP_MAC_CTX, EVP_MAC_CTX_free> context(EVP_MAC_CTX_new(mac.get()));
  std::array<uint8_t, 16> computed{};
  size_t size = 0;
  return context && EVP_MAC_init(context.get(), key.data(), key.size(), nullptr) == 1 &&
         EVP_MAC_update(context.get(), message.data(), message.size()) == 1 &&
         EVP_MAC_final(context.get(), computed.data(), &size, computed.size()) == 1 &&
         size == tag.size() && CRYPTO_memcmp(computed.data(), tag.data(), size) == 0;
}

// openssh-portable/PROTOCOL.chacha20poly1305 with packet number 0 and no length field: the first
// half of the key, block 0 makes the Poly1305 key, blocks from 1 are the stream. OpenSSL's IV is
// the block counter and the nonce, little-endian.
Result<SecretBytes> chacha_decrypt(Bytes key, Bytes sealed, Bytes tag) {
  const std::array<uint8_t, 16> block_0{};
  const std::array<uint8_t, 16> block_1{1};
  const std::array<uint8_t, 32> zeros{};
  const auto mac_key = openssl_decrypt("ChaCha20", key.first(32), block_0, zeros, {});
  if (!mac_key || !poly1305_fits(mac_key->span(), sealed, tag)) {
    return wrong_passphrase();
  }
  return openssl_decrypt("ChaCha20", key.first(32), block_1, sealed, {});
}

}  // namespace

const OpensshCipher* find_openssh_cipher(std::string_view name) {
  const auto* found = std::find_if(std::begin(kCiphers), std::end(kCiphers),
                                   [&](const auto& cipher) { return cipher.name == name; });
  return found == std::end(kCiphers) ? nullptr : found;
}

Result<SecretBytes> openssh_decrypt(const OpensshCipher& cipher, Bytes salt, uint32_t rounds,
                                    const SecretBytes& passphrase, Bytes sealed) {
  if (sealed.size() <= cipher.tag_bytes) {
    return wrong_passphrase();
  }
  const Bytes body = sealed.first(sealed.size() - cipher.tag_bytes);
  const Bytes tag = sealed.last(cipher.tag_bytes);
  const auto derived = bcrypt_key(cipher.key_bytes + cipher.iv_bytes, salt, rounds, passphrase);
  if (!derived) {
    return derived.error();
  }
  const Bytes key = derived->span().first(cipher.key_bytes);
  const Bytes iv = derived->span().last(cipher.iv_bytes);
  return cipher.openssl == nullptr ? chacha_decrypt(key, body, tag)
                                   : openssl_decrypt(cipher.openssl, key, iv, body, tag);
}

}  // namespace sallyport
