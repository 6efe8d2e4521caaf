// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"
#include "shared/base/result.h"

#include <openssl/evp.h>

#include <span>
#include <string>
#include <string_view>

namespace sallyport {

// RFC 4648 section 5, without padding: the encoding of JOSE.
std::string to_base64url(std::span<const uint8_t> bytes);

// The development provider's RSA-2048 key. Made at start and kept in memory only, so no token of
// an earlier run is ever good again.
class SigningKey {
public:
  static Result<SigningKey> make();

  std::string jwks() const;  // the public half, as JSON
  // A compact JWS (RS256) over `payload`.
  Result<std::string> sign(std::string_view payload) const;

private:
  using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
  SigningKey(Key key, std::string id) : key_(std::move(key)), id_(std::move(id)) {}

  std::string public_number(const char* name) const;

  Key key_;
  std::string id_;
};

}  // namespace sallyport
