// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/witness.h"

#include "bastion/witness/command_witness.h"
#include "bastion/witness/file_witness.h"
#include "bastion/witness/syslog_witness.h"
#include "bastion/witness/url_witness.h"

namespace sallyport::witness {

std::shared_ptr<Witness> make_witness(const WitnessConfig& config) {
  if (!config.file.empty()) {
    return std::make_shared<FileWitness>(config.file);
  }
  if (!config.command.empty()) {
    return std::make_shared<CommandWitness>(config.command);
  }
  if (!config.url.empty()) {
    return std::make_shared<UrlWitness>(config);
  }
  return std::make_shared<SyslogWitness>();
}

WitnessSays silent(std::string why) {
  WitnessSays says;
  says.answer = WitnessAnswer::silent;
  says.text = std::move(why);
  return says;
}

WitnessSays taken(const SignedLog& log) {
  WitnessSays says;
  says.answer = WitnessAnswer::taken;
  says.size = log.checkpoint->size;
  return says;
}

WitnessSays nothing() {
  WitnessSays says;
  says.answer = WitnessAnswer::nothing;
  return says;
}

}  // namespace sallyport::witness
