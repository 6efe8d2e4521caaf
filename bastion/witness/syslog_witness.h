// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/witness/witness.h"

namespace sallyport::witness {

// One line per checkpoint (note_file.h), authpriv.notice. Not by syslog(3), which says nobody
// whether the line was taken. It cannot be asked what it knows.
class SyslogWitness : public Witness {
public:
  explicit SyslogWitness(std::string socket = "/dev/log") : socket_(std::move(socket)) {}
  WitnessSays show(const SignedLog& log) override;

private:
  const std::string socket_;
};

}  // namespace sallyport::witness
