// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/command_witness.h"

#include "bastion/witness/known.h"
#include "shared/base/log.h"

namespace sallyport::witness {

WitnessSays CommandWitness::show(const SignedLog& log) {
  if (!asked_) {
    if (auto says = run("", log)) {
      return *says;
    }
    asked_ = true;
  }
  if (!log.checkpoint) {
    return nothing();
  }
  auto says = run(log.note, log);
  return says ? *says : taken(log);
}

std::optional<WitnessSays> CommandWitness::run(const std::string& input, const SignedLog& log) {
  const auto done = run_command(command_, input, patience_, cancelled_);
  if (!done) {
    return silent(done.error().message);
  }
  // Also from one that has refused: it may say why.
  known_.take(done->output, log.verifier);
  if (auto says = known_.contradiction(log)) {
    return says;
  }
  if (done->status != 0) {
    return silent(command_.front() + " ended with status " + std::to_string(done->status) +
                  (done->error_line.empty() ? "" : ": " + done->error_line));
  }
  if (input.empty() && !done->output.empty() && !known_.is_any()) {
    return silent(command_.front() +
                  " printed something, and no checkpoint of this log in it: it is to print the "
                  "largest that it was given");
  }
  if (!done->error_line.empty()) {
    log_info("a witness command says something",
             {{"command", command_.front()}, {"line", done->error_line}});
  }
  return std::nullopt;
}

}  // namespace sallyport::witness
