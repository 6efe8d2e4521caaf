// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/claims.h"

#include "shared/base/printable.h"

#include <jansson.h>

#include <algorithm>

namespace sallyport {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr size_t kMaxSubjectBytes = 255;  // OpenID Connect Core 2
constexpr size_t kMaxGroups = 2000;
constexpr size_t kMaxGroupBytes = 256;
constexpr size_t kMaxNameBytes = 256;

Error refused(std::string why) {
  return {Errc::protocol, "ID token: " + std::move(why)};
}

// An absent claim is an empty optional, a claim that is no point in time an error.
Result<std::optional<sys_seconds>> read_time(const json_t* claims, const char* name) {
  const json_t* value = json_object_get(claims, name);
  if (value == nullptr) {
    return std::optional<sys_seconds>{};
  }
  const auto count = json_count(value);
  if (!count) {
    return refused(std::string(name) + " is not a time");
  }
  return std::optional(sys_seconds(seconds(*count)));
}

Status check_audience(const json_t* claims, const std::string& client_id) {
  const json_t* audience = json_object_get(claims, "aud");
  size_t count = json_is_string(audience) ? 1 : json_array_size(audience);
  bool ours = json_is_string(audience) && json_string_value(audience) == client_id;
  for (size_t i = 0; json_is_array(audience) && i < count; ++i) {
    const json_t* one = json_array_get(audience, i);
    if (!json_is_string(one)) {
      return refused("aud holds something else than names");
    }
    ours = ours || json_string_value(one) == client_id;
  }
  if (!ours) {
    return refused("aud does not name this client");
  }
  const json_t* party = json_object_get(claims, "azp");
  if (party == nullptr && count > 1) {
    return refused("aud names others too and azp is missing");
  }
  if (party != nullptr && json_text(claims, "azp") != client_id) {
    return refused("azp is another client");
  }
  return ok();
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Result<std::string> read_subject(const json_t* claims) {
  const auto subject = json_text(claims, "sub");
  if (!subject || subject->empty()) {
    return refused("sub is missing");
  }
  if (subject->size() > kMaxSubjectBytes || !is_printable_ascii(*subject)) {
    return refused("sub is not 1 to 255 printable ASCII characters");
  }
  return std::string(*subject);
}

Status check_validity(const IdClaims& claims, std::optional<sys_seconds> not_before,
                      const TokenExpectations& expected, sys_seconds now) {
  if (now >= claims.expires_at + expected.leeway) {
    return refused("exp: it has expired");
  }
  if (claims.issued_at > now + expected.leeway) {
    return refused("iat is in the future (do the clocks agree?)");
  }
  if (not_before && *not_before > now + expected.leeway) {
    return refused("nbf: it is not valid yet");
  }
  if (claims.expires_at <= claims.issued_at ||
      claims.expires_at - claims.issued_at > expected.max_lifetime) {
    return refused("exp: valid for longer than is allowed, or not at all");
  }
  return ok();
}

Status read_times(IdClaims& claims, const TokenExpectations& expected, sys_seconds now) {
  const json_t* json = claims.json.get();
  const auto expires = read_time(json, "exp");
  const auto issued = read_time(json, "iat");
  const auto not_before = read_time(json, "nbf");
  const auto authenticated = read_time(json, "auth_time");
  for (const auto* time : {&expires, &issued, &not_before, &authenticated}) {
    if (!*time) {
      return time->error();
    }
  }
  if (!*expires || !*issued) {
    return refused(*expires ? "iat is missing" : "exp is missing");
  }
  claims.expires_at = **expires;
  claims.issued_at = **issued;
  claims.authenticated_at = *authenticated;
  return check_validity(claims, *not_before, expected, now);
}

Status check_authentication(const IdClaims& claims, const TokenExpectations& expected,
                            sys_seconds now) {
  const auto when = claims.authenticated_at;
  if (when && *when > now + expected.leeway) {
    return refused("auth_time is in the future");
  }
  if (expected.max_authentication_age &&
      (!when || now - *when > *expected.max_authentication_age + expected.leeway)) {
    return refused(when ? "auth_time: the sign-in at the provider is too old"
                        : "auth_time is missing");
  }
  if (expected.nonce && json_text(claims.json.get(), "nonce") != *expected.nonce) {
    return refused("nonce is not the one that we sent");
  }
  return ok();
}

Error overage(std::string_view path) {
  return {Errc::denied, "the identity provider left out \"" + printable(path, 64) +
                            "\" because this person is in too many groups (Entra sends at most "
                            "200): let it send only the groups assigned to this application"};
}

bool is_overage(const json_t* claims, std::string_view path) {
  const json_t* elsewhere = json_object_get(claims, "_claim_names");
  const json_t* flag = json_object_get(claims, "hasgroups");
  return find_claim(elsewhere, path) != nullptr || (path == "groups" && json_is_true(flag));
}

bool is_group_name(const json_t* value) {
  if (!json_is_string(value)) {
    return false;
  }
  const std::string_view name(json_string_value(value), json_string_length(value));
  return !name.empty() && name.size() <= kMaxGroupBytes && printable(name, name.size()) == name;
}

}  // namespace

Result<IdClaims> check_claims(Json payload, const TokenExpectations& expected, sys_seconds now) {
  const json_t* json = payload.get();
  if (json_text(json, "iss") != expected.issuer) {
    return refused("iss is not " + expected.issuer);
  }
  if (Status audience = check_audience(json, expected.client_id); !audience) {
    return audience.error();
  }
  auto subject = read_subject(json);
  if (!subject) {
    return subject.error();
  }
  IdClaims claims{expected.issuer, std::move(*subject), {}, {}, {}, std::move(payload)};
  if (Status times = read_times(claims, expected, now); !times) {
    return times.error();
  }
  if (Status authentication = check_authentication(claims, expected, now); !authentication) {
    return authentication.error();
  }
  return claims;
}

const json_t* find_claim(const json_t* claims, std::string_view path) {
  if (!json_is_object(claims) || path.empty()) {
    return nullptr;
  }
  if (const json_t* whole = json_object_get(claims, std::string(path).c_str())) {
    return whole;
  }
  for (size_t dot = path.rfind('.'); dot != std::string_view::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const json_t* parent = json_object_get(claims, std::string(path.substr(0, dot)).c_str());
    if (const json_t* found = find_claim(parent, path.substr(dot + 1))) {
      return found;
    }
  }
  return nullptr;
}

Result<GroupsClaim> read_groups(const json_t* claims, std::string_view path) {
  const json_t* value = find_claim(claims, path);
  if (value == nullptr) {
    if (is_overage(claims, path)) {
      return overage(path);
    }
    return GroupsClaim{};
  }
  const bool array = json_is_array(value);
  const size_t count = array ? json_array_size(value) : 1;
  if (count > kMaxGroups) {
    return Error{Errc::limit, "more than " + std::to_string(kMaxGroups) + " groups"};
  }
  GroupsClaim groups{true, {}};
  for (size_t i = 0; i < count; ++i) {
    const json_t* name = array ? json_array_get(value, i) : value;
    if (!is_group_name(name)) {
      return Error{Errc::protocol, "claim \"" + printable(path, 64) +
                                       "\" holds something that is not a group's name"};
    }
    groups.names.emplace_back(json_string_value(name), json_string_length(name));
  }
  return groups;
}

std::optional<std::string> read_name(const json_t* claims, std::string_view path) {
  const json_t* value = find_claim(claims, path);
  const json_t* verified = json_object_get(claims, "email_verified");
  if (!json_is_string(value) ||
      (path == "email" && verified != nullptr && !json_is_true(verified))) {
    return std::nullopt;
  }
  const std::string_view name(json_string_value(value), json_string_length(value));
  if (name.empty() || name.size() > kMaxNameBytes) {
    return std::nullopt;
  }
  return printable(name, kMaxNameBytes);
}

}  // namespace sallyport
