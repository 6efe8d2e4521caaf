// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sallyport {

// BIP 173 as age uses it: the original checksum constant, no limit of 90 characters. `prefix` is
// lower case ("age"); the result is lower case.
std::string bech32_encode(std::string_view prefix, std::span<const uint8_t> bytes);

// All lower or all upper case, the expected prefix, a right checksum, zero padding bits. The
// message says which of these failed, never the text itself: it may be a secret.
Result<SecretBytes> bech32_decode(std::string_view prefix, std::string_view text);

}  // namespace sallyport
