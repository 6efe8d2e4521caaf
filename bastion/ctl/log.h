// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/config.h"
#include "shared/evidence/checkpoint.h"

#include <optional>

namespace sallyport {

// The key that the node log's checkpoints verify with, by keyd. None: keyd did not say it, and a
// line on standard error says why.
std::optional<NoteVerifier> log_key_if_told(const Config& config);

// keyd says that it has never signed a log: there is none before the first session.
bool has_signed_nothing(const Config& config);

}  // namespace sallyport
