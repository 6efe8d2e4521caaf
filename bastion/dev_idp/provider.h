// SPDX-License-Identifier: Apache-2.0
//
// The development identity provider without its HTTP: the device authorization grant (RFC 8628)
// with PKCE (RFC 7636) for one public client and two people who exist only here. Everything is in
// memory and bounded. Thread-safe.
#pragma once

#include "bastion/dev_idp/signing_key.h"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct TestUser {
  std::string name;
  std::string display_name;
  std::vector<std::string> groups;
};
// alice may enter; bob signs in just as well and belongs to no group that any role names.
const std::vector<TestUser>& test_users();

struct ProviderSettings {
  std::string issuer;
  std::string client_id;
  std::chrono::seconds code_lifetime{300};
  std::chrono::seconds interval{1};
};

// What an endpoint answers: the HTTP status and a JSON text.
struct Answer {
  int status = 200;
  std::string json;
};

// Form fields, each given at most once.
using Form = std::map<std::string, std::string>;

class DevProvider {
public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  DevProvider(ProviderSettings settings, SigningKey key)
      : settings_(std::move(settings)), key_(std::move(key)) {}

  std::string discovery() const;
  std::string jwks() const { return key_.jwks(); }
  Answer authorize_device(const Form& form, Time now);
  Answer token(const Form& form, Time now);
  Answer userinfo(std::string_view access_token, Time now);

  // The page's side. Codes are compared without case and dashes. `unknown` also where the code is
  // used up or has run out; `too_many` after kMaxWrongCodes wrong ones within a minute, for
  // whoever asks: eight letters must not be found by trying.
  enum class Lookup { waiting, unknown, too_many };
  Lookup find(std::string_view user_code, Time now);
  Lookup decide(std::string_view user_code, std::optional<std::string> approved_by, Time now);

  static constexpr size_t kMaxWrongCodes = 10;
  static constexpr size_t kMaxPending = 100;

private:
  enum class State { waiting, approved, denied };
  struct Flow {
    std::string user_code;  // without the dash
    std::string scope;
    std::string code_challenge;  // "": the client sent none
    std::string user;
    State state = State::waiting;
    Time expires;
    Time last_poll;
    std::chrono::seconds interval;
  };
  struct AccessToken {
    std::string user;
    std::string scope;
    Time expires;
  };

  void forget_old(Time now);
  Flow* find_flow(std::string_view user_code, Time now);
  Answer issue_tokens(const Flow& flow, Time now);

  const ProviderSettings settings_;
  const SigningKey key_;
  std::mutex mutex_;
  std::map<std::string, Flow> flows_;          // by device code
  std::map<std::string, AccessToken> tokens_;  // by access token
  std::vector<Time> wrong_codes_;
};

}  // namespace sallyport
