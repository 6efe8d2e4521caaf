// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/checkpoint_signer.h"

#include "shared/base/hex.h"
#include "shared/evidence/merkle.h"
#include "shared/ipc/peer.h"

namespace sallyport::stored {

namespace {

template <class Answer, class Question>
Result<Answer> ask(Peer& keyd, const Question& question) {
  if (Status sent = keyd.send(question); !sent) {
    return sent.error();
  }
  const auto received = receive_waiting(keyd, CheckpointSigner::kPatienceMs);
  if (!received) {
    return Error{Errc::io, "keyd does not answer: " + received.error().message};
  }
  return decode_as<Answer>(*received);
}

Result<SignedLog> state_of(Peer& keyd) {
  const auto state = ask<LogStateIs>(keyd, LogState{});
  if (!state) {
    return state.error();
  }
  auto verifier = parse_note_verifier(state->verifier);
  if (!verifier) {
    return verifier.error();
  }
  return SignedLog{std::move(*verifier), state->note, state->text};
}

Result<std::vector<std::string>> proof_from(const Checkpoint& base, const Checkpoint& tree,
                                            const std::string& log_folder) {
  if (base.size > tree.size) {
    return Error{Errc::denied, "the log has " + std::to_string(tree.size) +
                                   " entries, and keyd has signed " + std::to_string(base.size) +
                                   ": it was rolled back"};
  }
  TileReader tiles(log_folder, tree.size);
  const auto proof = consistency_proof(
      base.size, tree.size,
      [&tiles](unsigned level, uint64_t index) { return tiles.subtree(level, index); });
  if (!proof) {
    return proof.error();
  }
  std::vector<std::string> hashes;
  for (const Sha256Digest& hash : *proof) {
    hashes.emplace_back(as_text(hash));
  }
  return hashes;
}

}  // namespace

Result<LatestNote> latest_note(const SignedLog& keyd, const std::string& ours) {
  LatestNote latest;
  for (const std::string& note : {keyd.note, ours}) {
    const auto checkpoint =
        note.empty() ? Result(Checkpoint{}) : open_checkpoint(note, keyd.verifier);
    if (!checkpoint) {
      return checkpoint.error();
    }
    if (!note.empty() && (latest.note.empty() || checkpoint->size > latest.checkpoint.size)) {
      latest = {note, *checkpoint};
    }
  }
  return latest;
}

Result<SignedLog> CheckpointSigner::state() const {
  auto socket = connect_peer(socket_);
  if (!socket) {
    return socket.error();
  }
  Peer keyd(std::move(*socket));
  return state_of(keyd);
}

Result<std::string> CheckpointSigner::sign(const std::string& log_folder, const Checkpoint& tree,
                                           const std::string& ours) const {
  auto socket = connect_peer(socket_);
  if (!socket) {
    return socket.error();
  }
  Peer keyd(std::move(*socket));
  const auto state = state_of(keyd);
  if (!state) {
    return state.error();
  }
  const auto base = latest_note(*state, ours);
  if (!base) {
    return base.error();
  }
  auto proof = proof_from(base->checkpoint, tree, log_folder);
  if (!proof) {
    return proof.error();
  }
  const auto answer = ask<CheckpointSigned>(
      keyd, SignCheckpoint{tree.size, std::string(as_text(tree.root)), std::move(*proof), ours});
  if (!answer) {
    return answer.error();
  }
  return answer->ok ? Result(answer->note) : Error{Errc::denied, answer->text};
}

}  // namespace sallyport::stored
