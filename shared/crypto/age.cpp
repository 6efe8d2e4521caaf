// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/age.h"

#include "shared/base/hex.h"
#include "shared/crypto/aead.h"
#include "shared/crypto/age_header.h"
#include "shared/crypto/hkdf.h"
#include "shared/crypto/random.h"
#include "shared/crypto/sha256.h"

#include <algorithm>
#include <array>
#include <optional>

namespace sallyport {

namespace {

constexpr size_t kFileKeyBytes = 16;
constexpr size_t kPayloadNonceBytes = 16;
constexpr size_t kChunkBytes = 64 * 1024;
constexpr std::string_view kStanzaType = "X25519";
constexpr std::array<uint8_t, kAeadNonceBytes> kZeroNonce{};
using Nonce = std::array<uint8_t, kAeadNonceBytes>;

// HKDF(shared secret, salt = share ‖ recipient): binds the wrapped key to both public values.
Aead wrap_cipher(const SecretBytes& shared, const X25519PublicKey& share,
                 const X25519PublicKey& recipient) {
  std::array<uint8_t, 64> salt;
  std::copy(recipient.begin(), recipient.end(),
            std::copy(share.begin(), share.end(), salt.begin()));
  const SecretBytes key = derive_key(shared.span(), salt, "age-encryption.org/v1/X25519");
  return Aead(AeadCipher::chacha20_poly1305, key.span());
}

Result<AgeStanza> wrap_file_key(const SecretBytes& file_key, const AgeRecipient& recipient) {
  const SecretBytes ephemeral = x25519_generate();
  const X25519PublicKey share = x25519_public_key(ephemeral.span());
  const auto shared = x25519_shared_secret(ephemeral.span(), recipient.key);
  if (!shared) {
    return shared.error();
  }
  AgeStanza stanza{{std::string(kStanzaType), unpadded_base64(share)}, {}};
  wrap_cipher(*shared, share, recipient.key).seal(kZeroNonce, {}, file_key.span(), stanza.body);
  return stanza;
}

// The share and body of an X25519 stanza; the specification has a malformed one refuse the file,
// even where another stanza would have opened it.
Result<X25519PublicKey> check_stanza(const AgeStanza& stanza) {
  X25519PublicKey share;
  const bool shaped = stanza.arguments.size() == 2 &&
                      stanza.body.size() == kFileKeyBytes + kAeadTagBytes &&
                      stanza.arguments[1].size() == 43;
  const auto bytes = shaped ? from_base64(stanza.arguments[1] + "=") : std::nullopt;
  if (!bytes || bytes->size() != share.size()) {
    return Error{Errc::corrupt, "age header: malformed X25519 stanza"};
  }
  std::copy(bytes->begin(), bytes->end(), share.begin());
  return share;
}

// The file key, where this stanza was made for this identity.
Result<std::optional<SecretBytes>> unwrap_file_key(const AgeStanza& stanza,
                                                   const X25519PublicKey& share,
                                                   const AgeIdentity& identity) {
  const auto shared = x25519_shared_secret(identity.key.span(), share);
  if (!shared) {
    return Error{Errc::corrupt, "age header: " + shared.error().message};
  }
  SecretBytes file_key(kFileKeyBytes);
  Aead cipher = wrap_cipher(*shared, share, identity.recipient().key);
  if (!cipher.open(kZeroNonce, {}, stanza.body, file_key.span())) {
    return std::optional<SecretBytes>();
  }
  return std::optional<SecretBytes>(std::move(file_key));
}

Result<SecretBytes> find_file_key(const AgeHeader& header,
                                  std::span<const AgeIdentity> identities) {
  std::optional<SecretBytes> found;
  for (const AgeStanza& stanza : header.stanzas) {
    if (stanza.arguments[0] != kStanzaType) {
      continue;  // other recipient types are allowed beside ours
    }
    const auto share = check_stanza(stanza);
    if (!share) {
      return share.error();
    }
    for (const AgeIdentity& identity : identities) {
      auto key = unwrap_file_key(stanza, *share, identity);
      if (!key) {
        return std::move(key).error();
      }
      if (*key && !found) {
        found = std::move(**key);
      }
    }
  }
  if (!found) {
    return Error{Errc::denied, "made for other recipients: none of the identities opens it"};
  }
  return std::move(*found);
}

Sha256Digest header_mac(const SecretBytes& file_key, std::string_view maced) {
  return hmac_sha256(derive_key(file_key.span(), {}, "header").span(), as_bytes(maced));
}

Aead payload_cipher(const SecretBytes& file_key, std::span<const uint8_t> nonce) {
  return Aead(AeadCipher::chacha20_poly1305, derive_key(file_key.span(), nonce, "payload").span());
}

// STREAM: an 11 byte big-endian counter, then 1 in the last chunk and 0 before.
Nonce chunk_nonce(uint64_t counter, bool last) {
  Nonce nonce{};
  for (size_t i = 0; i < 8; ++i) {
    nonce[10 - i] = static_cast<uint8_t>(counter >> (8 * i));
  }
  nonce[11] = last ? 1 : 0;
  return nonce;
}

void seal_payload(const SecretBytes& file_key, std::span<const uint8_t> plaintext,
                  std::vector<uint8_t>& out) {
  std::array<uint8_t, kPayloadNonceBytes> nonce;
  random_fill(nonce);
  out.insert(out.end(), nonce.begin(), nonce.end());
  Aead cipher = payload_cipher(file_key, nonce);
  for (uint64_t counter = 0;; ++counter) {
    const auto chunk = plaintext.first(std::min(plaintext.size(), kChunkBytes));
    plaintext = plaintext.subspan(chunk.size());
    cipher.seal(chunk_nonce(counter, plaintext.empty()), {}, chunk, out);
    if (plaintext.empty()) {
      return;
    }
  }
}

Result<SecretBytes> open_payload(const SecretBytes& file_key, std::span<const uint8_t> payload) {
  if (payload.size() < kPayloadNonceBytes + kAeadTagBytes) {
    return Error{Errc::corrupt, "age file: cut off"};
  }
  Aead cipher = payload_cipher(file_key, payload.first(kPayloadNonceBytes));
  payload = payload.subspan(kPayloadNonceBytes);
  constexpr size_t kSealedChunk = kChunkBytes + kAeadTagBytes;
  const size_t chunks = (payload.size() + kSealedChunk - 1) / kSealedChunk;
  const size_t last_chunk = payload.size() - (chunks - 1) * kSealedChunk;
  // Only a wholly empty payload may have an empty last chunk.
  if (last_chunk < kAeadTagBytes || (chunks > 1 && last_chunk == kAeadTagBytes)) {
    return Error{Errc::corrupt, "age file: cut off"};
  }
  SecretBytes plaintext(payload.size() - chunks * kAeadTagBytes);
  for (size_t i = 0; i < chunks; ++i) {
    const bool last = i + 1 == chunks;
    const auto chunk = payload.subspan(i * kSealedChunk, last ? last_chunk : kSealedChunk);
    const auto to = plaintext.span().subspan(i * kChunkBytes, chunk.size() - kAeadTagBytes);
    if (!cipher.open(chunk_nonce(i, last), {}, chunk, to)) {
      return Error{Errc::corrupt, "age file: cut off or changed"};
    }
  }
  return plaintext;
}

}  // namespace

Result<std::vector<uint8_t>> age_encrypt(std::span<const uint8_t> plaintext,
                                         std::span<const AgeRecipient> recipients) {
  if (recipients.empty() || recipients.size() > kAgeMaxStanzas) {
    return Error{Errc::invalid,
                 "1 to " + std::to_string(kAgeMaxStanzas) + " age recipients are needed"};
  }
  SecretBytes file_key(kFileKeyBytes);
  random_fill(file_key.span());
  std::string header(kAgeVersionLine);
  for (const AgeRecipient& recipient : recipients) {
    const auto stanza = wrap_file_key(file_key, recipient);
    if (!stanza) {
      return Error{Errc::invalid, recipient.text() + ": " + stanza.error().message};
    }
    header += encode_stanza(*stanza);
  }
  header += "---";
  header += " " + unpadded_base64(header_mac(file_key, header)) + "\n";
  std::vector<uint8_t> out(header.begin(), header.end());
  seal_payload(file_key, plaintext, out);
  return out;
}

Result<SecretBytes> age_decrypt(std::span<const uint8_t> file,
                                std::span<const AgeIdentity> identities) {
  const auto header = parse_age_header(as_text(file));
  if (!header) {
    return header.error();
  }
  const auto file_key = find_file_key(*header, identities);
  if (!file_key) {
    return file_key.error();
  }
  if (!equal_in_constant_time(header_mac(*file_key, header->maced), header->mac)) {
    return Error{Errc::corrupt, "age header: changed (its MAC does not fit)"};
  }
  return open_payload(*file_key, file.subspan(header->size));
}

bool is_age_file(std::span<const uint8_t> bytes) {
  return as_text(bytes).starts_with(kAgeVersionLine);
}

std::optional<size_t> age_plaintext_size(std::span<const uint8_t> file) {
  const auto header = parse_age_header(as_text(file));
  if (!header || file.size() - header->size < kPayloadNonceBytes + kAeadTagBytes) {
    return std::nullopt;
  }
  const size_t sealed = file.size() - header->size - kPayloadNonceBytes;
  const size_t chunks = (sealed + kChunkBytes + kAeadTagBytes - 1) / (kChunkBytes + kAeadTagBytes);
  return sealed - std::min(sealed, chunks * kAeadTagBytes);
}

}  // namespace sallyport
