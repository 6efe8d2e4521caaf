// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/claim_mapping.h"

#include "bastion/authd/oidc/jws.h"
#include "shared/base/hex.h"
#include "shared/crypto/sha256.h"

namespace sallyport {

std::string digest_of_mapping(std::span<const std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    text += std::to_string(part.size()) + ":" + std::string(part);
  }
  return encode_base64url(as_text(sha256(as_bytes(text))));
}

}  // namespace sallyport
