// SPDX-License-Identifier: Apache-2.0
//
// C2SP tlog-proof: that one entry is in the tree of a checkpoint.
//
//   c2sp.org/tlog-proof@v1 LF
//   index N LF
//   base64(hash) LF          as many as the proof has
//   LF
//   the checkpoint, signed
#pragma once

#include "shared/base/result.h"
#include "shared/evidence/merkle.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

struct LogProof {
  uint64_t index = 0;
  MerkleProof hashes;
  std::string checkpoint;  // the note's bytes
};

std::string log_proof_text(const LogProof& proof);
Result<LogProof> parse_log_proof(std::string_view text);  // of log_proof_text(); no "extra" line

}  // namespace sallyport
