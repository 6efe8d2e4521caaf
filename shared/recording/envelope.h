// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"
#include "shared/crypto/age_keys.h"
#include "shared/recording/header.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

// Who opens a recording. The data key is encrypted to `inner` where there are any, and what that
// gives, itself an age file, to `outer`: then it takes one identity of each group.
struct EnvelopeRecipients {
  std::vector<AgeRecipient> outer;    // recording.recipients; at least one
  std::vector<AgeRecipient> inner{};  // recording.second_recipients; none: outer alone opens it
};

// Errc::invalid: no recipient, too many, or one in both groups, who could open it alone.
Result<std::vector<uint8_t>> seal_envelope(const SecretBytes& dek, const EnvelopeRecipients& to);

// Opens the envelope, with identities of both people in any order where it takes two, and checks
// the key against the commitment. Errc::denied: an identity is missing, and which; Errc::not_found:
// the envelope was erased; Errc::corrupt: changed.
Result<SecretBytes> open_envelope(const RecordingHeader& header,
                                  std::span<const AgeIdentity> identities);

bool is_erased(const RecordingHeader& header);

}  // namespace sallyport
