// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/witness/known.h"
#include "bastion/witness/run_command.h"
#include "bastion/witness/witness.h"

namespace sallyport::witness {

// A program that gets a note as its input, and says by exit status 0 that it keeps it. What it
// prints is what it knew before. Once, before it is given one, it is run without input; what it
// then prints has a checkpoint of the log, or is nothing.
class CommandWitness : public Witness {
public:
  static constexpr std::chrono::seconds kPatience{30};

  explicit CommandWitness(std::vector<std::string> command,
                          std::chrono::milliseconds patience = kPatience)
      : command_(std::move(command)), patience_(patience) {}
  WitnessSays show(const SignedLog& log) override;
  void cancel() override { cancelled_ = true; }

private:
  // What stands against the log, or that it failed; none: it went well.
  std::optional<WitnessSays> run(const std::string& input, const SignedLog& log);

  const std::vector<std::string> command_;
  const std::chrono::milliseconds patience_;
  bool asked_ = false;
  LargestKnown known_;  // it may forget what it has printed
  std::atomic<bool> cancelled_ = false;
};

}  // namespace sallyport::witness
