// SPDX-License-Identifier: Apache-2.0
//
// A witness signs that it has seen a checkpoint, and that it continues what it had seen before
// (C2SP tlog-cosignature, Ed25519): a further signature of the note, over
//
//   "cosignature/v1" LF "time " Unix seconds LF the note's text
//
// which stands in the note as base64(key id 4 | u64 big-endian seconds | signature 64).
#pragma once

#include "shared/evidence/checkpoint.h"

namespace sallyport {

// The name and public key of a witness, "name+<key id hex>+base64(04 | key)".
struct CosignatureVerifier {
  std::string name;
  Ed25519PublicKey key{};
  std::array<uint8_t, 4> key_id() const;  // SHA-256(name LF 04 key)[:4]
  std::string text() const;
  bool operator==(const CosignatureVerifier&) const = default;
};
Result<CosignatureVerifier> parse_cosignature_verifier(std::string_view text);

// When the witness has signed this note, Unix seconds. Errc::denied: it has not, or wrongly.
Result<uint64_t> verify_cosignature(const Note& note, const CosignatureVerifier& verifier);

// What the witness signs.
std::string cosigned_message(const Note& note, uint64_t unix_seconds);

}  // namespace sallyport
