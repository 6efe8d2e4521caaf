// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/checkpoint.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/base/utf8.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace sallyport {

namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a space
constexpr uint8_t kEd25519 = 1;                      // the signature type of a note
constexpr size_t kMaxSignatures = 100;
constexpr size_t kMaxNameBytes = 255;

// The next line without its newline; none where there is no newline.
std::optional<std::string_view> take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<uint64_t> canonical_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::to_string(value) == text ? std::optional(value) : std::nullopt;
}

// Unicode's White_Space, without what is a control character.
bool is_space(char32_t c) {
  return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool has_space(std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (is_space(step.character)) {
      return true;
    }
    text.remove_prefix(step.length);
  }
  return false;
}

bool is_note_text(std::string_view text) {
  return is_valid_utf8(text) && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) >= ' ' || c == '\n';
         });
}

std::optional<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kDash)) {
    return std::nullopt;
  }
  line.remove_prefix(kDash.size());
  const size_t space = line.find(' ');
  const auto bytes =
      space == std::string_view::npos ? std::nullopt : from_base64(line.substr(space + 1));
  NoteSignature out;
  if (!bytes || bytes->size() <= out.key_id.size() || !is_note_name(line.substr(0, space))) {
    return std::nullopt;
  }
  out.name = line.substr(0, space);
  std::copy_n(bytes->begin(), out.key_id.size(), out.key_id.begin());
  out.signature.assign(bytes->begin() + static_cast<std::ptrdiff_t>(out.key_id.size()),
                       bytes->end());
  return out;
}

Error not_a_note(const char* why) {
  return Error{Errc::corrupt, std::string("not a signed note: ") + why};
}

Error not_a_verifier() {
  return Error{Errc::invalid,
               "not a key of a log (\"name+0a1b2c3d+base64\"); `sallyportctl log key` prints one"};
}

}  // namespace

std::string origin_of(std::string_view node) {
  return "sallyport/" + std::string(node);
}

std::string checkpoint_text(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         to_base64(checkpoint.root) + "\n";
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  const Error wrong{Errc::corrupt, "not a checkpoint: \"" + printable(text, 200) + "\""};
  const auto origin = take_line(text);
  const auto size = take_line(text);
  const auto root = take_line(text);
  if (!origin || origin->empty() || !size || !root || !text.empty()) {
    return wrong;
  }
  const auto number = canonical_number(*size);
  const auto hash = from_base64(*root);
  Checkpoint checkpoint{std::string(*origin), number.value_or(0), {}};
  if (!number || !hash || hash->size() != checkpoint.root.size()) {
    return wrong;
  }
  std::copy(hash->begin(), hash->end(), checkpoint.root.begin());
  return checkpoint;
}

bool is_note_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         name.find('+') == std::string_view::npos && printable(name, 4 * kMaxNameBytes) == name &&
         !has_space(name);
}

std::array<uint8_t, 4> NoteVerifier::key_id() const {
  const uint8_t type[] = {'\n', kEd25519};
  const auto hash = Sha256().update(as_bytes(name)).update(type).update(key).finish();
  return {hash[0], hash[1], hash[2], hash[3]};
}

std::string NoteVerifier::text() const {
  std::vector<uint8_t> bytes = {kEd25519};
  bytes.insert(bytes.end(), key.begin(), key.end());
  return name + "+" + to_hex(key_id()) + "+" + to_base64(bytes);
}

Result<NoteVerifier> parse_note_verifier(std::string_view text) {
  while (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  const size_t first = text.find('+');
  const size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) {
    return not_a_verifier();
  }
  NoteVerifier verifier{std::string(text.substr(0, first)), {}};
  const auto bytes = from_base64(text.substr(second + 1));
  if (!is_note_name(verifier.name) || !bytes || bytes->size() != 1 + verifier.key.size() ||
      bytes->front() != kEd25519) {
    return not_a_verifier();
  }
  std::copy(bytes->begin() + 1, bytes->end(), verifier.key.begin());
  return to_hex(verifier.key_id()) == text.substr(first + 1, second - first - 1) ? Result(verifier)
                                                                                 : not_a_verifier();
}

bool is_ed25519_signature(std::string_view message, std::span<const uint8_t> signature,
                          const Ed25519PublicKey& key) {
  const Handle<EVP_PKEY, EVP_PKEY_free> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  return pkey && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          as_bytes(message).data(), message.size()) == 1;
}

Result<Note> parse_note(std::string_view bytes) {
  if (bytes.size() > kMaxNoteBytes) {
    return not_a_note("too long");
  }
  if (!is_note_text(bytes)) {
    return not_a_note("it is not text");
  }
  const size_t blank = bytes.rfind("\n\n");
  if (blank == std::string_view::npos || !bytes.ends_with('\n')) {
    return not_a_note("no signature");
  }
  Note note{std::string(bytes.substr(0, blank + 1)), {}};
  for (std::string_view rest = bytes.substr(blank + 2); !rest.empty();) {
    const auto line = take_line(rest);
    auto signature = line ? parse_signature(*line) : std::nullopt;
    if (!signature || note.signatures.size() == kMaxSignatures) {
      return not_a_note("a signature line is none");
    }
    note.signatures.push_back(std::move(*signature));
  }
  return note.signatures.empty() ? Result<Note>(not_a_note("no signature")) : note;
}

std::string note_text(const Note& note) {
  std::string out = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) {
    std::vector<uint8_t> bytes(signature.key_id.begin(), signature.key_id.end());
    bytes.insert(bytes.end(), signature.signature.begin(), signature.signature.end());
    out += std::string(kDash) + signature.name + " " + to_base64(bytes) + "\n";
  }
  return out;
}

Status verify_note(const Note& note, const NoteVerifier& verifier) {
  bool found = false;
  for (const NoteSignature& signature : note.signatures) {
    if (signature.name != verifier.name || signature.key_id != verifier.key_id()) {
      continue;  // of somebody else: a witness, a later key
    }
    found = true;
    if (!is_ed25519_signature(note.text, signature.signature, verifier.key)) {
      return Error{Errc::denied, "the signature of " + verifier.name + " is wrong"};
    }
  }
  return found ? ok()
               : Status(Error{Errc::denied, "it is not signed by the key of " + verifier.name +
                                                " (" + to_hex(verifier.key_id()) + ")"});
}

Result<Checkpoint> open_checkpoint(std::string_view bytes, const NoteVerifier& verifier) {
  const auto note = parse_note(bytes);
  if (!note) {
    return note.error();
  }
  if (Status verified = verify_note(*note, verifier); !verified) {
    return verified.error();
  }
  auto checkpoint = parse_checkpoint(note->text);
  if (checkpoint && checkpoint->origin != verifier.name) {
    return Error{Errc::denied, "a checkpoint of another log, " + printable(checkpoint->origin)};
  }
  return checkpoint;
}

Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const NoteVerifier& verifier,
                                    const SignBytes& sign) {
  Note note{checkpoint_text(checkpoint), {}};
  const auto signature = sign(note.text);
  if (!signature) {
    return signature.error();
  }
  note.signatures.push_back(
      {verifier.name, verifier.key_id(), {signature->begin(), signature->end()}});
  return note_text(note);
}

}  // namespace sallyport
