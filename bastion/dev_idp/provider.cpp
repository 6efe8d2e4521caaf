// SPDX-License-Identifier: Apache-2.0
#include "bastion/dev_idp/provider.h"

#include "shared/base/hex.h"
#include "shared/crypto/random.h"
#include "shared/crypto/sha256.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

namespace sallyport {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr seconds kTokenLifetime{300};
constexpr seconds kExpiredIsRemembered{300};  // so that a late poll hears expired_token
constexpr seconds kSlowDown{5};               // RFC 8628 section 3.5
constexpr std::chrono::milliseconds kPollTolerance{100};
constexpr size_t kUserCodeLetters = 8;
constexpr size_t kMaxScopeBytes = 256;
constexpr const char* kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

Answer refuse(const char* error, const std::string& description, int status = 400) {
  return {status, json{{"error", error}, {"error_description", description}}.dump()};
}

std::string field(const Form& form, const std::string& name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string() : found->second;
}

std::string random_token() {
  std::array<uint8_t, 32> bytes{};
  random_fill(bytes);
  return to_base64url(bytes);
}

// Letters that no reader mistakes for another, and no vowels: RFC 8628 section 6.1.
std::string random_user_code() {
  constexpr std::string_view kLetters = "BCDFGHJKLMNPQRSTVWXZ";
  constexpr size_t kFair = 256 / kLetters.size() * kLetters.size();
  std::string code;
  while (code.size() < kUserCodeLetters) {
    std::array<uint8_t, 1> byte{};
    random_fill(byte);
    if (byte[0] < kFair) {
      code += kLetters[byte[0] % kLetters.size()];
    }
  }
  return code;
}

std::string normalized(std::string_view user_code) {
  std::string code;
  for (const char c : user_code) {
    if (c >= 'a' && c <= 'z') {
      code += static_cast<char>(c - 'a' + 'A');
    } else if (c != '-' && c != ' ') {
      code += c;
    }
  }
  return code;
}

bool is_code_challenge(std::string_view text) {
  return text.size() == 43 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

bool verifier_matches(const std::string& challenge, const std::string& verifier) {
  const std::string expected = to_base64url(sha256(as_bytes(verifier)));
  return verifier.size() >= 43 && verifier.size() <= 128 &&
         equal_in_constant_time(as_bytes(challenge), as_bytes(expected));
}

// RFC 6749 appendix A.4; what is stored here comes back as JSON.
bool is_scope(std::string_view text) {
  return text.size() <= kMaxScopeBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
         });
}

std::set<std::string> words(const std::string& text) {
  std::set<std::string> result;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) {
      result.insert(text.substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return result;
}

json claims_of(const std::string& name, const std::string& scope) {
  const auto& users = test_users();
  const auto user =
      std::find_if(users.begin(), users.end(), [&](const TestUser& u) { return u.name == name; });
  const std::set<std::string> scopes = words(scope);
  json claims = {{"sub", "dev-" + user->name}};
  if (scopes.contains("profile")) {
    claims["name"] = user->display_name;
    claims["preferred_username"] = user->name;
  }
  if (scopes.contains("email")) {
    claims["email"] = user->name + "@example.com";
    claims["email_verified"] = true;
  }
  if (scopes.contains("groups")) {
    claims["groups"] = user->groups;
  }
  return claims;
}

int64_t unix_seconds() {
  return std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

const std::vector<TestUser>& test_users() {
  static const std::vector<TestUser> users = {
      {"alice", "Alice Example", {"ssh-users", "admins"}},
      {"bob", "Bob Example", {"guests"}},
  };
  return users;
}

std::string DevProvider::discovery() const {
  const std::string& issuer = settings_.issuer;
  return json{{"issuer", issuer},
              {"device_authorization_endpoint", issuer + "/device_authorization"},
              {"token_endpoint", issuer + "/token"},
              {"userinfo_endpoint", issuer + "/userinfo"},
              {"jwks_uri", issuer + "/jwks"},
              {"response_types_supported", json::array()},
              {"grant_types_supported", {kDeviceGrant}},
              {"subject_types_supported", {"public"}},
              {"id_token_signing_alg_values_supported", {"RS256"}},
              {"token_endpoint_auth_methods_supported", {"none"}},
              {"code_challenge_methods_supported", {"S256"}},
              {"scopes_supported", {"openid", "profile", "email", "groups"}}}
      .dump();
}

Answer DevProvider::authorize_device(const Form& form, Time now) {
  if (field(form, "client_id") != settings_.client_id) {
    return refuse("invalid_client", "this provider knows one client: the one in the configuration",
                  401);
  }
  const std::string challenge = field(form, "code_challenge");
  const bool has_challenge = form.contains("code_challenge");
  if (form.contains("code_challenge_method") != has_challenge ||
      (has_challenge &&
       (field(form, "code_challenge_method") != "S256" || !is_code_challenge(challenge)))) {
    return refuse("invalid_request", "PKCE is S256 with a challenge of 43 characters");
  }
  const std::string scope = field(form, "scope");
  if (!is_scope(scope) || !words(scope).contains("openid")) {
    return refuse("invalid_scope", "the scope must name openid");
  }
  const std::lock_guard lock(mutex_);
  forget_old(now);
  if (flows_.size() >= kMaxPending) {
    return refuse("temporarily_unavailable", "too many logins wait", 503);
  }
  const std::string device_code = random_token();
  const std::string code = random_user_code();
  flows_[device_code] = {code,
                         scope,
                         challenge,
                         {},
                         State::waiting,
                         now + settings_.code_lifetime,
                         now,
                         settings_.interval};
  const std::string shown = code.substr(0, 4) + "-" + code.substr(4);
  return {200, json{{"device_code", device_code},
                    {"user_code", shown},
                    {"verification_uri", settings_.issuer + "/device"},
                    {"verification_uri_complete", settings_.issuer + "/device?user_code=" + shown},
                    {"expires_in", settings_.code_lifetime.count()},
                    {"interval", settings_.interval.count()}}
                   .dump()};
}

Answer DevProvider::token(const Form& form, Time now) {
  if (field(form, "client_id") != settings_.client_id) {
    return refuse("invalid_client", "unknown client", 401);
  }
  if (field(form, "grant_type") != kDeviceGrant) {
    return refuse("unsupported_grant_type", std::string("only ") + kDeviceGrant);
  }
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const auto found = flows_.find(field(form, "device_code"));
  if (found == flows_.end()) {
    return refuse("invalid_grant", "unknown device code");
  }
  Flow& flow = found->second;
  if (now >= flow.expires) {
    return refuse("expired_token", "the code has run out");
  }
  if (!flow.code_challenge.empty() &&
      !verifier_matches(flow.code_challenge, field(form, "code_verifier"))) {
    return refuse("invalid_grant", "code_verifier does not fit the challenge");
  }
  const bool too_soon = now - flow.last_poll + kPollTolerance < flow.interval;
  flow.last_poll = now;
  if (too_soon) {
    flow.interval += kSlowDown;
    return refuse("slow_down", "asked sooner than the interval allows");
  }
  if (flow.state == State::waiting) {
    return refuse("authorization_pending", "nobody has decided yet");
  }
  const Flow decided = flow;
  flows_.erase(found);  // either answer is given once
  return decided.state == State::denied ? refuse("access_denied", "the person said no")
                                        : issue_tokens(decided, now);
}

Answer DevProvider::issue_tokens(const Flow& flow, Time now) {
  json claims = claims_of(flow.user, flow.scope);
  claims["iss"] = settings_.issuer;
  claims["aud"] = settings_.client_id;
  claims["iat"] = unix_seconds();
  claims["auth_time"] = claims["iat"];
  claims["exp"] = unix_seconds() + kTokenLifetime.count();
  Result<std::string> id_token = key_.sign(claims.dump());
  if (!id_token) {
    return refuse("server_error", id_token.error().message, 500);
  }
  const std::string access_token = random_token();
  tokens_[access_token] = {flow.user, flow.scope, now + kTokenLifetime};
  return {200, json{{"access_token", access_token},
                    {"token_type", "Bearer"},
                    {"expires_in", kTokenLifetime.count()},
                    {"scope", flow.scope},
                    {"id_token", *id_token}}
                   .dump()};
}

Answer DevProvider::userinfo(std::string_view access_token, Time now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const auto found = tokens_.find(std::string(access_token));
  if (found == tokens_.end()) {
    return refuse("invalid_token", "unknown or expired access token", 401);
  }
  return {200, claims_of(found->second.user, found->second.scope).dump()};
}

DevProvider::Flow* DevProvider::find_flow(std::string_view user_code, Time now) {
  const std::string code = normalized(user_code);
  for (auto& [device_code, flow] : flows_) {
    if (flow.user_code == code && flow.state == State::waiting && now < flow.expires) {
      return &flow;
    }
  }
  wrong_codes_.push_back(now);
  return nullptr;
}

DevProvider::Lookup DevProvider::find(std::string_view user_code, Time now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  if (wrong_codes_.size() >= kMaxWrongCodes) {
    return Lookup::too_many;
  }
  return find_flow(user_code, now) ? Lookup::waiting : Lookup::unknown;
}

DevProvider::Lookup DevProvider::decide(std::string_view user_code,
                                        std::optional<std::string> approved_by, Time now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  if (wrong_codes_.size() >= kMaxWrongCodes) {
    return Lookup::too_many;
  }
  Flow* flow = find_flow(user_code, now);
  if (!flow) {
    return Lookup::unknown;
  }
  flow->state = approved_by ? State::approved : State::denied;
  flow->user = approved_by.value_or("");
  return Lookup::waiting;
}

void DevProvider::forget_old(Time now) {
  std::erase_if(
      flows_, [&](const auto& item) { return now >= item.second.expires + kExpiredIsRemembered; });
  std::erase_if(tokens_, [&](const auto& item) { return now >= item.second.expires; });
  std::erase_if(wrong_codes_, [&](Time at) { return now - at >= std::chrono::minutes(1); });
}

}  // namespace sallyport
