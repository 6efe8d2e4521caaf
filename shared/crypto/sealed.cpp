// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/sealed.h"

#include "shared/crypto/aead.h"
#include "shared/crypto/hkdf.h"
#include "shared/crypto/random.h"

#include <algorithm>
#include <array>
#include <string>

namespace sallyport {

namespace {

constexpr std::array<uint8_t, 8> kMagic = {'S', 'P', 'S', 'E', 'A', 'L', 1, 0};
constexpr size_t kSaltBytes = 16;
constexpr size_t kPrefixBytes = kMagic.size() + kSaltBytes;
constexpr std::array<uint8_t, kAeadNonceBytes> kNonce{};

Aead message_cipher(std::span<const uint8_t> key, std::span<const uint8_t> salt,
                    std::string_view context) {
  const SecretBytes derived = derive_key(key, salt, "sallyport sealed/1 " + std::string(context));
  return Aead(AeadCipher::aes_256_gcm, derived.span());
}

}  // namespace

std::vector<uint8_t> seal_bytes(std::span<const uint8_t> key, std::string_view context,
                                std::span<const uint8_t> plaintext) {
  std::vector<uint8_t> prefix(kMagic.begin(), kMagic.end());
  prefix.resize(kPrefixBytes);
  const std::span<uint8_t> salt = std::span(prefix).subspan(kMagic.size());
  random_fill(salt);
  std::vector<uint8_t> out = prefix;
  message_cipher(key, salt, context).seal(kNonce, prefix, plaintext, out);
  return out;
}

Result<SecretBytes> open_sealed(std::span<const uint8_t> key, std::string_view context,
                                std::span<const uint8_t> sealed) {
  if (sealed.size() < kSealedOverhead ||
      !std::equal(kMagic.begin(), kMagic.end(), sealed.begin())) {
    return Error{Errc::corrupt, "not a sealed file of this version"};
  }
  const auto prefix = sealed.first(kPrefixBytes);
  SecretBytes plaintext(sealed.size() - kSealedOverhead);
  Aead cipher = message_cipher(key, prefix.subspan(kMagic.size()), context);
  if (!cipher.open(kNonce, prefix, sealed.subspan(kPrefixBytes), plaintext.span())) {
    return Error{Errc::corrupt, "sealed file: another key, another place, or changed"};
  }
  return plaintext;
}

}  // namespace sallyport
