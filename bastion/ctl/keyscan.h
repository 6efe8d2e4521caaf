// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/config/address.h"
#include "shared/config/host_key.h"

#include <vector>

namespace sallyport {

// The host keys that a target shows right now, by ssh-keyscan. Whoever sits between us and the
// target could show others: a person compares the fingerprints before they are pinned.
Result<std::vector<PublicKeyLine>> scan_host_keys(const HostPort& address);

}  // namespace sallyport
