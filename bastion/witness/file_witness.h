// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/witness/known.h"
#include "bastion/witness/witness.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::witness {

// A file that grows by one note after the other, each with an empty line behind it, and is synced.
// All of it is read once, for the largest of the log's checkpoints, and later what is new: who may
// only append to it makes nothing in it forgotten.
class FileWitness : public Witness {
public:
  explicit FileWitness(std::string path) : path_(std::move(path)) {}
  WitnessSays show(const SignedLog& log) override;

private:
  Status read_on(const NoteVerifier& verifier);
  Status append(std::string_view note);

  const std::string path_;
  uint64_t read_until_ = 0;
  bool is_torn_ = false;  // its last bytes are no note's end
  LargestKnown known_;
};

}  // namespace sallyport::witness
