// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/crypto/age_keys.h"
#include "shared/recording/envelope.h"

#include <span>
#include <string>

namespace sallyport {

// Writes another envelope of the same data key over the old one. In place, because then size,
// owner, mode and links of the file stay, a recorder that still appends to it goes on, and a
// thousand recordings cost a thousand headers; the old header stands beside the file until the new
// one is on disk (saved_header.h), so that at no moment both envelopes can be lost.
//
// Frames are neither read nor judged: a recording that was damaged or tampered with may be the one
// that matters, and must not be lost with an old key. What proves something is `verify`, which says
// the same before and after. That the key belongs to this header is checked.
//
// Errors name the file and leave it as it was, or say how to go on. Errc::not_found: it was erased.
Status rewrap_file(const std::string& path, std::span<const AgeIdentity> identities,
                   const EnvelopeRecipients& to);

}  // namespace sallyport
