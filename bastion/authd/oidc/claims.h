// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/json.h"
#include "shared/base/result.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct TokenExpectations {
  std::string issuer;
  std::string client_id;
  std::chrono::seconds leeway{60};
  std::chrono::seconds max_lifetime{24 * 3600};
  std::optional<std::chrono::seconds> max_authentication_age;
  std::optional<std::string> nonce;  // only where we sent one
};

struct IdClaims {
  std::string issuer;
  std::string subject;
  std::chrono::sys_seconds issued_at{};
  std::chrono::sys_seconds expires_at{};
  std::optional<std::chrono::sys_seconds> authenticated_at;
  Json json;  // all of them
};

// OpenID Connect Core 3.1.3.7 on the payload of a token whose signature is good: iss, aud, azp,
// exp, iat, nbf, lifetime, auth_time, nonce, sub. Errors say which claim.
Result<IdClaims> check_claims(Json payload, const TokenExpectations& expected,
                              std::chrono::sys_seconds now);

// "realm_access.roles": a member of a member. A key that itself holds dots wins over the parts.
// nullptr where there is none.
const json_t* find_claim(const json_t* claims, std::string_view path);

struct GroupsClaim {
  bool present = false;
  std::vector<std::string> names;
};

// An array of strings or one string. Absent is no error (`present` tells), but Entra's "too many to
// list" is, and so is anything that is not a group's name.
Result<GroupsClaim> read_groups(const json_t* claims, std::string_view path);

// What to call this person: the claim where it is a string, nothing otherwise. An address of which
// the provider says email_verified with anything but true ("false" and 0 are seen) is not a name.
std::optional<std::string> read_name(const json_t* claims, std::string_view path);

}  // namespace sallyport
