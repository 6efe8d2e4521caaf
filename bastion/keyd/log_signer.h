// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/evidence/checkpoint.h"
#include "shared/evidence/merkle.h"
#include "shared/ssh/pkcs8.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace sallyport {

// Signs the checkpoints of the node log (docs/formats/log.md), and no tree that does not continue
// the last one that it has signed. Two files in keyd's folder:
//
//   log.key    the Ed25519 private key (32 bytes), sealed with the vault key, context "log key"
//   log.state  the checkpoint signed last, a signed note; before the first one that of an empty log
//
// Both are made at the first start, the state first: so a key without a state is one that has
// signed, and has lost what. Then the caller's last checkpoint is needed. One that this key has
// signed counts also where the state is older: keyd's folder came from a backup. Not thread-safe.
class LogSigner {
public:
  // Errc::corrupt: the key cannot be opened, or is missing where its state is there.
  static Result<LogSigner> open(const std::string& folder, std::span<const uint8_t> vault_key,
                                const std::string& name);

  const NoteVerifier& verifier() const { return verifier_; }

  // What was signed last; "" where nothing was. An error: there is no state though there should be.
  Result<std::string> last_note() const;

  struct Request {
    uint64_t size = 0;
    Sha256Digest root{};
    MerkleProof proof;     // of consistency with the larger of last_note() and `previous`
    std::string previous;  // the caller's last signed note
  };
  // The signed note. That it was signed is on disk when this returns.
  Result<std::string> sign(const Request& request);

private:
  struct Signed {
    Checkpoint checkpoint;
    std::string note;
  };
  LogSigner(UniqueFd folder, std::string path)
      : folder_(std::move(folder)), path_(std::move(path)) {}

  Status take_key(EvpKey key, const std::string& name);
  Status make_key(std::span<const uint8_t> vault_key, const std::string& name);
  Status open_key(std::span<const uint8_t> vault_key, std::span<const uint8_t> sealed,
                  const std::string& name);
  Result<Signed> read_state() const;
  Result<Checkpoint> base_for(const Request& request);
  Result<Signed> signed_note(Checkpoint checkpoint) const;
  Status write_state(Signed next);

  UniqueFd folder_;
  std::string path_;
  EvpKey key_;
  NoteVerifier verifier_;
  std::optional<Signed> last_;  // as on disk
};

}  // namespace sallyport
