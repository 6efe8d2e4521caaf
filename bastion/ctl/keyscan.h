// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/ctl/host_keys/certified.h"
#include "shared/base/result.h"
#include "shared/config/address.h"
#include "shared/config/host_key.h"

#include <vector>

namespace sallyport {

// The host keys that a target shows right now, by ssh-keyscan: one of each type. ssh-keyscan breaks
// off before the signature, so nothing is proven by them: whoever sits between us and the target
// could show others, or keys that are not theirs. A person compares the fingerprints before they
// are pinned.
Result<std::vector<PublicKeyLine>> scan_host_keys(const HostPort& address);

// Which of a target's host keys a host CA certifies; asks only where a CA's patterns fit the
// target. A certificate proves itself, whoever shows it.
Result<Certified> scan_certified_keys(const std::map<std::string, HostCaConfig>& cas,
                                      const std::string& name, const HostPort& address);

}  // namespace sallyport
