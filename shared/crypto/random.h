// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace sallyport {

// Bytes fit for keys (OpenSSL's generator, seeded by getrandom(2)). Fatal when there are none.
void random_fill(std::span<uint8_t> out);

}  // namespace sallyport
