// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport {

inline constexpr size_t kMaxKeyBlobBytes = 8 * 1024;

// "SHA256:" and unpadded base64, as `ssh-keygen -l` shows it. blob: RFC 4253 section 6.6.
std::string fingerprint_of(std::string_view blob);

// "SHA256:3q…Zk": enough to tell one's own keys apart, where a full one would break the line.
std::string short_fingerprint(std::string_view fingerprint, std::string_view dots);

// Of an authorized_keys line without options: "ssh-ed25519 AAAA... comment".
Result<std::string> fingerprint_of_line(std::string_view line);

}  // namespace sallyport
