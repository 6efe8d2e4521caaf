// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/witness/witness.h"
#include "shared/evidence/cosignature.h"
#include "shared/http/http_client.h"

namespace sallyport::witness {

// A witness of C2SP tlog-witness: it checks the proof itself, and signs what it has taken.
class UrlWitness : public Witness {
public:
  explicit UrlWitness(const WitnessConfig& config);
  WitnessSays show(const SignedLog& log) override;

private:
  Result<std::string> request_body(const SignedLog& log) const;
  WitnessSays take_cosignature(const SignedLog& log, const std::string& lines) const;
  WitnessSays refusal(const HttpReply& reply) const;

  const std::string url_;
  const Result<CosignatureVerifier> verifier_;
  HttpSettings http_;
  uint64_t knows_ = 0;  // the size of its tree, as far as we know
};

}  // namespace sallyport::witness
