// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace sallyport {

// "SHA256:" and unpadded base64, as `ssh-keygen -l` shows it, of a public key's blob (RFC 4253
// section 6.6).
std::string ssh_fingerprint(std::span<const uint8_t> blob);

}  // namespace sallyport
