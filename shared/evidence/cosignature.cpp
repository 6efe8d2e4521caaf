// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/cosignature.h"

#include "shared/base/hex.h"

#include <algorithm>

namespace sallyport {

namespace {

constexpr uint8_t kEd25519Cosignature = 4;  // the signature type
constexpr size_t kTimeBytes = 8;

Error not_a_witness_key() {
  return Error{Errc::invalid,
               "is not the key of a witness (\"name+0a1b2c3d+base64\", for Ed25519 cosignatures); "
               "its operator publishes it"};
}

uint64_t big_endian(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  for (const uint8_t byte : bytes) {
    value = value << 8 | byte;
  }
  return value;
}

}  // namespace

std::array<uint8_t, 4> CosignatureVerifier::key_id() const {
  const uint8_t type[] = {'\n', kEd25519Cosignature};
  const auto hash = Sha256().update(as_bytes(name)).update(type).update(key).finish();
  return {hash[0], hash[1], hash[2], hash[3]};
}

std::string CosignatureVerifier::text() const {
  std::vector<uint8_t> bytes = {kEd25519Cosignature};
  bytes.insert(bytes.end(), key.begin(), key.end());
  return name + "+" + to_hex(key_id()) + "+" + to_base64(bytes);
}

Result<CosignatureVerifier> parse_cosignature_verifier(std::string_view text) {
  const size_t first = text.find('+');
  const size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) {
    return not_a_witness_key();
  }
  CosignatureVerifier verifier{std::string(text.substr(0, first)), {}};
  const auto bytes = from_base64(text.substr(second + 1));
  if (!is_note_name(verifier.name) || !bytes || bytes->size() != 1 + verifier.key.size() ||
      bytes->front() != kEd25519Cosignature) {
    return not_a_witness_key();
  }
  std::copy(bytes->begin() + 1, bytes->end(), verifier.key.begin());
  return verifier.text() == text ? Result(verifier) : not_a_witness_key();
}

std::string cosigned_message(const Note& note, uint64_t unix_seconds) {
  return "cosignature/v1\ntime " + std::to_string(unix_seconds) + "\n" + note.text;
}

Result<uint64_t> verify_cosignature(const Note& note, const CosignatureVerifier& verifier) {
  for (const NoteSignature& signature : note.signatures) {
    if (signature.name != verifier.name || signature.key_id != verifier.key_id()) {
      continue;
    }
    const auto bytes = std::span(signature.signature);
    const uint64_t time =
        bytes.size() > kTimeBytes ? big_endian(bytes.first(kTimeBytes)) : uint64_t{0};
    if (time == 0 || !is_ed25519_signature(cosigned_message(note, time), bytes.subspan(kTimeBytes),
                                           verifier.key)) {
      return Error{Errc::denied, "the cosignature of " + verifier.name + " is wrong"};
    }
    return time;
  }
  return Error{Errc::denied, "it is not cosigned by the key of " + verifier.name + " (" +
                                 to_hex(verifier.key_id()) + ")"};
}

}  // namespace sallyport
