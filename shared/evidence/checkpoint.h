// SPDX-License-Identifier: Apache-2.0
//
// A checkpoint says "the log ORIGIN has SIZE entries and this root" (C2SP tlog-checkpoint), signed
// as a note (C2SP signed-note, Ed25519):
//
//   origin LF size LF base64(root) LF
//   LF
//   "— " name " " base64(key id 4 | signature 64) LF        one or more
#pragma once

#include "shared/base/result.h"
#include "shared/crypto/sha256.h"

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

inline constexpr size_t kMaxNoteBytes = 64 * 1024;

struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  Sha256Digest root{};
  bool operator==(const Checkpoint&) const = default;
};

// The log of a node: "sallyport/<node>".
std::string origin_of(std::string_view node);

// The note's text, what is signed. Errc::corrupt: not a checkpoint. Extension lines are refused: we
// write none, and nobody else writes our logs.
std::string checkpoint_text(const Checkpoint& checkpoint);
Result<Checkpoint> parse_checkpoint(std::string_view text);

using Ed25519PublicKey = std::array<uint8_t, 32>;
using Ed25519Signature = std::array<uint8_t, 64>;
bool is_ed25519_signature(std::string_view message, std::span<const uint8_t> signature,
                          const Ed25519PublicKey& key);

// Who verifies: the name and public key of a log, "name+<key id hex>+base64(01 | key)".
struct NoteVerifier {
  std::string name;
  Ed25519PublicKey key{};
  std::array<uint8_t, 4> key_id() const;  // SHA-256(name LF 01 key)[:4]
  std::string text() const;
  bool operator==(const NoteVerifier&) const = default;
};
Result<NoteVerifier> parse_note_verifier(std::string_view text);
bool is_note_name(std::string_view name);  // not empty, no space, no '+', valid printable UTF-8

struct NoteSignature {
  std::string name;
  std::array<uint8_t, 4> key_id{};
  std::vector<uint8_t> signature;
};
struct Note {
  std::string text;  // ends with a newline
  std::vector<NoteSignature> signatures;
};
Result<Note> parse_note(std::string_view bytes);
std::string note_text(const Note& note);

// Errc::denied: none of the signatures is this verifier's, or one that claims to be is wrong.
Status verify_note(const Note& note, const NoteVerifier& verifier);

// A checkpoint that this verifier's key has signed, and its origin is the verifier's name.
Result<Checkpoint> open_checkpoint(std::string_view note, const NoteVerifier& verifier);

// With `sign` making the Ed25519 signature of what it is given.
using SignBytes = std::function<Result<Ed25519Signature>(std::string_view message)>;
Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const NoteVerifier& verifier,
                                    const SignBytes& sign);

}  // namespace sallyport
