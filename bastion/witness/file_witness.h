// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/witness/witness.h"

namespace sallyport::witness {

// A file that grows by one note after the other, each with an empty line behind it, and is synced.
class FileWitness : public Witness {
public:
  explicit FileWitness(std::string path) : path_(std::move(path)) {}
  WitnessSays show(const SignedLog& log) override;

private:
  Status append(std::string_view note, bool after_torn);

  const std::string path_;
};

}  // namespace sallyport::witness
