// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/vault/openssh_key.h"

#include "bastion/ctl/vault/evp_build.h"
#include "bastion/ctl/vault/openssh_cipher.h"
#include "shared/base/printable.h"
#include "shared/ssh/wire.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string>

namespace sallyport {

namespace {

constexpr std::string_view kEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view kMagic{"openssh-key-v1\0", 15};
constexpr size_t kMaxSaltBytes = 64;

Error damaged() {
  return Error{Errc::invalid, "this OpenSSH key file is damaged or cut off; copy it again, whole"};
}

Error unsupported(std::string_view type) {
  const bool token = type.starts_with("sk-");
  return Error{Errc::invalid, "keys of type " + printable(type, 60) +
                                  (token ? " need their security token for each signature"
                                         : " are not supported") +
                                  "; the vault takes Ed25519, ECDSA and RSA"};
}

// Base64 between the two lines; EVP_Decode skips line ends. The text is secret where the key is not
// encrypted, so it never becomes a std::string.
Result<SecretBytes> decode_body(std::string_view text) {
  const size_t end = text.find(kEnd);
  if (!text.starts_with(kOpensshBegin) || end == std::string_view::npos) {
    return damaged();
  }
  const auto body = text.substr(kOpensshBegin.size(), end - kOpensshBegin.size());
  const Handle<EVP_ENCODE_CTX, EVP_ENCODE_CTX_free> context(EVP_ENCODE_CTX_new());
  SecretBytes bytes(body.size());
  int size = 0;
  int last = 0;
  EVP_DecodeInit(context.get());
  if (EVP_DecodeUpdate(context.get(), bytes.data(), &size,
                       reinterpret_cast<const unsigned char*>(body.data()),
                       static_cast<int>(body.size())) < 0 ||
      EVP_DecodeFinal(context.get(), bytes.data() + size, &last) < 0) {
    return damaged();
  }
  return SecretBytes(
      std::span<const uint8_t>(bytes.span()).first(static_cast<size_t>(size + last)));
}

struct Envelope {
  const OpensshCipher* cipher = nullptr;
  std::span<const uint8_t> salt;
  uint32_t rounds = 0;
  std::span<const uint8_t> sealed;  // with the tag
};

// none wants no derivation, every cipher wants bcrypt's.
Status read_derivation(std::string_view name, std::span<const uint8_t> options,
                       Envelope& envelope) {
  SshReader reader(options);
  const bool encrypted = envelope.cipher->key_bytes > 0;
  if (encrypted) {
    envelope.salt = reader.string();
    envelope.rounds = reader.u32();
  }
  if (!reader.complete() || name != (encrypted ? "bcrypt" : "none") ||
      (encrypted &&
       (envelope.salt.empty() || envelope.salt.size() > kMaxSaltBytes || envelope.rounds == 0))) {
    return damaged();
  }
  if (envelope.rounds > kMaxBcryptRounds) {
    return Error{Errc::invalid, "this key asks for " + std::to_string(envelope.rounds) +
                                    " rounds of bcrypt; at most 2048: ssh-keygen -p -a 100"};
  }
  return ok();
}

Result<Envelope> read_envelope(std::span<const uint8_t> bytes) {
  SshReader reader(bytes);
  const auto magic = reader.raw(kMagic.size());
  const auto cipher = reader.text();
  const auto derivation = reader.text();
  const auto options = reader.string();
  const uint32_t keys = reader.u32();
  reader.string();  // the public key; keyd makes its own from the private one
  const auto section = reader.string();
  if (!reader.ok() || !std::ranges::equal(magic, kMagic) || keys != 1) {
    return damaged();
  }
  Envelope envelope;
  envelope.cipher = find_openssh_cipher(cipher);
  if (envelope.cipher == nullptr) {
    return Error{Errc::invalid,
                 "cipher " + printable(cipher, 60) +
                     " is not known; change it: ssh-keygen -p -Z aes256-ctr -f FILE"};
  }
  const auto tag = reader.raw(envelope.cipher->tag_bytes);
  if (!reader.complete() || section.empty() || section.size() % envelope.cipher->block_bytes != 0) {
    return damaged();
  }
  envelope.sealed = {section.data(), section.size() + tag.size()};
  if (const auto read = read_derivation(derivation, options, envelope); !read) {
    return read.error();
  }
  return envelope;
}

// The fields of each type, in OpenSSH's order (sshkey_private_serialize).
Result<EvpKey> read_fields(std::string_view type, SshReader& reader) {
  if (type == "ssh-ed25519") {
    const auto point = reader.string();
    const auto seed_and_point = reader.string();
    return build_ed25519(point, seed_and_point);
  }
  if (type.starts_with("ecdsa-sha2-")) {
    const auto curve = reader.text();
    const auto point = reader.string();
    const auto scalar = reader.mpint();
    return type.substr(11) == curve ? build_ecdsa(curve, point, scalar) : damaged();
  }
  if (type == "ssh-rsa") {
    RsaNumbers numbers;
    for (auto* number :
         {&numbers.n, &numbers.e, &numbers.d, &numbers.iqmp, &numbers.p, &numbers.q}) {
      *number = reader.mpint();
    }
    return build_rsa(numbers);
  }
  return unsupported(type);
}

bool is_padding(std::span<const uint8_t> rest, size_t block_bytes) {
  if (rest.size() >= block_bytes) {
    return false;
  }
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != i + 1) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<SecretBytes> read_openssh_section(std::span<const uint8_t> section, size_t block_bytes) {
  SshReader reader(section);
  const uint32_t check = reader.u32();
  const uint32_t again = reader.u32();
  if (!reader.ok() || check != again) {
    return Error{Errc::denied, "the passphrase is wrong, or the file is damaged"};
  }
  const std::string type(reader.text());
  if (!reader.ok()) {
    return damaged();
  }
  const auto key = read_fields(type, reader);
  reader.string();  // the comment
  if (!key) {
    return reader.ok() || type.starts_with("sk-") ? key.error() : damaged();
  }
  if (!reader.ok() || !is_padding(reader.rest(), block_bytes)) {
    return damaged();
  }
  return to_pkcs8(**key);
}

Result<SecretBytes> read_openssh_key(std::string_view text, const AskPassphrase& ask) {
  const auto bytes = decode_body(text);
  if (!bytes) {
    return bytes.error();
  }
  const auto envelope = read_envelope(bytes->span());
  if (!envelope) {
    return envelope.error();
  }
  const size_t block_bytes = envelope->cipher->block_bytes;
  if (envelope->cipher->key_bytes == 0) {
    auto key = read_openssh_section(envelope->sealed, block_bytes);
    return !key && key.error().code == Errc::denied ? damaged() : std::move(key);
  }
  const auto passphrase = ask();
  if (!passphrase) {
    return passphrase.error();
  }
  const auto section = openssh_decrypt(*envelope->cipher, envelope->salt, envelope->rounds,
                                       *passphrase, envelope->sealed);
  return section ? read_openssh_section(section->span(), block_bytes) : section.error();
}

}  // namespace sallyport
