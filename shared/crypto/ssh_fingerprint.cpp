// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/ssh_fingerprint.h"

#include "shared/base/hex.h"
#include "shared/crypto/sha256.h"

namespace sallyport {

std::string ssh_fingerprint(std::span<const uint8_t> blob) {
  std::string digest = to_base64(sha256(blob));
  digest.erase(digest.find_last_not_of('=') + 1);
  return "SHA256:" + digest;
}

}  // namespace sallyport
