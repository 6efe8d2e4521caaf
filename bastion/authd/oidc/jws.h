// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/json.h"
#include "shared/base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

inline constexpr size_t kMaxTokenBytes = 64 * 1024;

// The signature algorithms that we accept: RS, PS and ES with 256, 384 or 512. Not "none", not HS
// (a public key must never become a shared secret), not EdDSA (liboauth2's cjose has none).
bool is_allowed_algorithm(std::string_view alg);

struct JwsHeader {
  std::string alg;
  std::optional<std::string> kid;
};

// A compact JWS taken apart. Nothing of it is proven before verify_signature().
struct DecodedToken {
  JwsHeader header;
  Json payload;
};

// Three parts of strict base64url (no padding, no white space, no stray bits), header and payload
// JSON objects without duplicate keys, alg allowed, typ absent or JWT, no crit, no embedded key.
Result<DecodedToken> decode_token(std::string_view token);

std::optional<std::string> decode_base64url(std::string_view text);
std::string encode_base64url(std::string_view bytes);

}  // namespace sallyport
