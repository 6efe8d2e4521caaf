// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/device_reply.h"
#include "bastion/authd/oidc/provider.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// Who approved a login (R1): issuer and subject are the identity, the rest is said about it.
struct Person {
  std::string issuer;
  std::string subject;
  std::string name;  // for people to read: the name claim, or the subject where there is none
  std::vector<std::string> groups;
  bool groups_present = false;  // false: the provider sent no groups claim, which a refusal can say
  std::string claims;           // compact JSON: the ID token's, and what userinfo added
  std::optional<std::chrono::sys_seconds> authenticated_at;  // auth_time
  std::string mapping;                                       // claim_mapping() of the provider
};

// Judges the ID token, and asks userinfo where the name or the groups are not in it; userinfo's sub
// must be the token's, and its claims only fill gaps. Blocks. Errors as verify_id_token(), `denied`
// where the provider left the groups out because they are too many.
Result<Person> identify_person(Provider& provider, const Tokens& tokens,
                               const std::optional<std::string>& nonce = std::nullopt);

}  // namespace sallyport
