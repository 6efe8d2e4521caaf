// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/random.h"

#include "shared/crypto/algorithms.h"

#include <openssl/rand.h>

namespace sallyport {

void random_fill(std::span<uint8_t> out) {
  require_openssl(openssl_ok(RAND_priv_bytes(out.data(), static_cast<int>(out.size()))),
                  "RAND_priv_bytes");
}

}  // namespace sallyport
