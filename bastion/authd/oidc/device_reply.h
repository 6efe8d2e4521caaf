// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sallyport {

// RFC 8628 3.2, as providers really send it: "verification_url" counts as "verification_uri",
// numbers may be strings, "interval" may be missing (then 5 s).
struct DeviceReply {
  SecretBytes device_code;
  std::string user_code;
  std::string verification_uri;           // checked by the https rule for `issuer`
  std::string verification_uri_complete;  // empty where there is none
  std::optional<std::chrono::seconds> expires_in;
  std::chrono::seconds interval{5};
};
Result<DeviceReply> parse_device_reply(std::string_view body, std::string_view issuer);

struct Tokens {
  SecretBytes id_token;
  SecretBytes access_token;
};
struct OauthError {
  std::string code;         // "authorization_pending"
  std::string description;  // printable
};
struct UnknownReply {};  // a proxy's page, a torn body: says nothing about the login

// RFC 8628 3.5. A JSON "error" is judged before anything else; tokens come only with status 200.
using TokenReply = std::variant<Tokens, OauthError, UnknownReply>;
TokenReply parse_token_reply(long status, std::string_view body);

}  // namespace sallyport
