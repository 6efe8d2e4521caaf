// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/jump_host_key.h"

#include "shared/base/hex.h"
#include "shared/crypto/hkdf.h"
#include "shared/ssh/wire.h"

#include <algorithm>
#include <array>

namespace sallyport {

namespace {

constexpr std::string_view kPurpose = "sallyport jump host key v1 ";
constexpr std::string_view kType = "ssh-ed25519";
constexpr uint32_t kKeyBytes = 32;
constexpr std::string_view kMagic("openssh-key-v1\0", 15);
constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
constexpr std::string_view kEnd = "\n-----END OPENSSH PRIVATE KEY-----\n";
// check twice, type, point, seed and point, comment, padding to a multiple of 8
constexpr uint32_t kSectionBytes = 136;
static_assert(8 + (4 + 11) + (4 + kKeyBytes) + (4 + 2 * kKeyBytes) + 4 + 5 == kSectionBytes);

}  // namespace

Result<EvpKey> jump_host_key(std::span<const uint8_t> secret, std::string_view target) {
  const SecretBytes seed = derive_key(secret, {}, std::string(kPurpose) + std::string(target));
  EvpKey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  if (!key) {
    ERR_clear_error();
    return Error{Errc::internal, "OpenSSL cannot make an Ed25519 key"};
  }
  return key;
}

Result<std::string> jump_public_key(std::span<const uint8_t> secret, std::string_view target) {
  const auto key = jump_host_key(secret, target);
  if (!key) {
    return key.error();
  }
  std::array<uint8_t, kKeyBytes> point{};
  size_t size = point.size();
  if (EVP_PKEY_get_raw_public_key(key->get(), point.data(), &size) != 1) {
    return Error{Errc::internal, "OpenSSL cannot tell the public key"};
  }
  SshWriter blob;  // RFC 8709 section 4
  blob.string(kType).string(point);
  return std::string(kType) + " " + to_base64(blob.bytes());
}

Result<SecretBytes> to_openssh(const EVP_PKEY& key) {
  std::array<uint8_t, kKeyBytes> point{};
  SecretBytes seed(kKeyBytes);
  size_t size = kKeyBytes;
  if (EVP_PKEY_get_raw_public_key(&key, point.data(), &size) != 1 ||
      EVP_PKEY_get_raw_private_key(&key, seed.data(), &size) != 1) {
    return Error{Errc::internal, "OpenSSL cannot tell the key's numbers"};
  }
  SshWriter blob;
  blob.string(kType).string(point);
  SshWriter before;  // up to the private section's seed
  before.string(std::string_view("none")).string(std::string_view("none"));
  before.string(std::string_view()).u32(1).string(blob.bytes()).u32(kSectionBytes);
  before.u32(0).u32(0).string(kType).string(point).u32(2 * kKeyBytes);
  constexpr uint8_t kAfter[] = {0, 0, 0, 0, 1, 2, 3, 4, 5};  // no comment, padding
  SecretBytes whole(kMagic.size() + before.bytes().size() + 2 * kKeyBytes + sizeof kAfter);
  uint8_t* end = std::copy(kMagic.begin(), kMagic.end(), whole.data());
  end = std::copy(before.bytes().begin(), before.bytes().end(), end);
  end = std::copy_n(seed.data(), kKeyBytes, end);
  end = std::copy(point.begin(), point.end(), end);
  std::copy(std::begin(kAfter), std::end(kAfter), end);

  SecretBytes text(kBegin.size() + 4 * ((whole.size() + 2) / 3) + kEnd.size() + 1);
  uint8_t* to = std::copy(kBegin.begin(), kBegin.end(), text.data());
  to += EVP_EncodeBlock(to, whole.data(), static_cast<int>(whole.size()));
  std::copy(kEnd.begin(), kEnd.end(), to);
  return text;
}

}  // namespace sallyport
