// SPDX-License-Identifier: Apache-2.0
//
// Keys that sign notes, as keyd and a witness do.
#pragma once

#include "shared/base/handle.h"
#include "shared/base/hex.h"
#include "shared/evidence/cosignature.h"

#include <openssl/evp.h>

#include <stdexcept>
#include <string>

namespace sallyport::test {

class TestKey {
public:
  TestKey() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")) {}

  Ed25519PublicKey public_key() const {
    Ed25519PublicKey out{};
    size_t size = out.size();
    EVP_PKEY_get_raw_public_key(key_.get(), out.data(), &size);
    return out;
  }
  Ed25519Signature sign(std::string_view message) const {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    Ed25519Signature out{};
    size_t size = out.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), out.data(), &size, as_bytes(message).data(),
                       message.size()) != 1) {
      throw std::runtime_error("no signature");
    }
    return out;
  }

private:
  Handle<EVP_PKEY, EVP_PKEY_free> key_;
};

// A log's key, and the notes that it signs.
class NoteSigner {
public:
  explicit NoteSigner(std::string name = "sallyport/test") : verifier_{std::move(name), {}} {
    verifier_.key = key_.public_key();
  }
  const NoteVerifier& verifier() const { return verifier_; }
  std::string note(uint64_t size, const Sha256Digest& root = {}) const {
    return *sign_checkpoint(
        {verifier_.name, size, root}, verifier_,
        [this](std::string_view message) { return Result(key_.sign(message)); });
  }

private:
  TestKey key_;
  NoteVerifier verifier_;
};

// A witness's key, and the signature lines that it adds.
class Cosigner {
public:
  explicit Cosigner(std::string name = "witness.example/w1") : verifier_{std::move(name), {}} {
    verifier_.key = key_.public_key();
  }
  const CosignatureVerifier& verifier() const { return verifier_; }
  Note cosigned(std::string_view bytes, uint64_t seconds) const {
    Note note = *parse_note(bytes);
    NoteSignature added{verifier_.name, verifier_.key_id(), {}};
    for (int shift = 56; shift >= 0; shift -= 8) {
      added.signature.push_back(static_cast<uint8_t>(seconds >> shift));
    }
    const auto signature = key_.sign(cosigned_message(note, seconds));
    added.signature.insert(added.signature.end(), signature.begin(), signature.end());
    note.signatures.push_back(std::move(added));
    return note;
  }

private:
  TestKey key_;
  CosignatureVerifier verifier_;
};

}  // namespace sallyport::test
