// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/known.h"

#include "shared/evidence/note_file.h"

#include <algorithm>
#include <vector>

namespace sallyport::witness {

namespace {

bool claims_key(const Note& note, const NoteVerifier& verifier) {
  return std::any_of(note.signatures.begin(), note.signatures.end(), [&](const auto& signature) {
    return signature.name == verifier.name && signature.key_id == verifier.key_id();
  });
}

WitnessSays contradicts(WitnessAnswer answer, const Known& known, std::string text) {
  WitnessSays says;
  says.answer = answer;
  says.size = known.checkpoint.size;
  says.note = known.note;
  says.text = std::move(text);
  return says;
}

}  // namespace

// From the largest down: a file may have a million, and a signature takes its time.
std::optional<Known> find_known(std::string_view text, const NoteVerifier& verifier) {
  std::vector<Known> all;
  for (std::string& bytes : split_notes(text)) {
    const auto note = parse_note(bytes);
    const auto checkpoint = note ? parse_checkpoint(note->text) : Result<Checkpoint>(note.error());
    if (checkpoint && checkpoint->origin == verifier.name) {
      all.push_back({std::move(bytes), *checkpoint, !claims_key(*note, verifier)});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Known& a, const Known& b) {
    return a.checkpoint.size < b.checkpoint.size;
  });
  const auto good = std::find_if(all.rbegin(), all.rend(), [&](const Known& one) {
    const auto note = parse_note(one.note);
    return one.of_another_key || (note && verify_note(*note, verifier));
  });
  return good != all.rend() ? std::optional(std::move(*good)) : std::nullopt;
}

std::optional<WitnessSays> contradiction(const Known& known, const SignedLog& log) {
  if (known.of_another_key) {
    return contradicts(WitnessAnswer::other, known,
                       "a checkpoint of this log that another key has signed: keyd's key for the "
                       "log was lost, or the log was begun anew");
  }
  const Checkpoint ours = log.checkpoint.value_or(Checkpoint{"", 0, empty_tree_root()});
  if (known.checkpoint.size > ours.size) {
    return contradicts(WitnessAnswer::larger, known, "");
  }
  if (known.checkpoint.size == 0) {
    return std::nullopt;
  }
  const auto proof = known.checkpoint.size == ours.size
                         ? Result(MerkleProof())
                         : log.prove(known.checkpoint.size, ours.size);
  if (!proof) {
    return silent("what it knows cannot be compared with the log: " + proof.error().message);
  }
  if (!proves_consistency(*proof, known.checkpoint.size, known.checkpoint.root, ours.size,
                          ours.root)) {
    return contradicts(WitnessAnswer::other, known, "");
  }
  return std::nullopt;
}

void LargestKnown::take(std::string_view text, const NoteVerifier& verifier) {
  if (of_ != verifier) {
    known_.reset();
    of_ = verifier;
  }
  auto found = find_known(text, verifier);
  if (found && (!known_ || found->checkpoint.size >= known_->checkpoint.size)) {
    known_ = std::move(*found);
  }
}

std::optional<WitnessSays> LargestKnown::contradiction(const SignedLog& log) const {
  return known_ ? witness::contradiction(*known_, log) : std::nullopt;
}

}  // namespace sallyport::witness
