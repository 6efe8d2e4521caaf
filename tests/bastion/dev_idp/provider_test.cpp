// SPDX-License-Identifier: Apache-2.0
#include "bastion/dev_idp/provider.h"

#include "shared/base/hex.h"
#include "shared/crypto/sha256.h"
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

using namespace sallyport;
using nlohmann::json;
using std::chrono::seconds;

namespace {

constexpr const char* kGrant = "urn:ietf:params:oauth:grant-type:device_code";
const std::string kVerifier(43, 'v');

struct Login {
  DevProvider provider{{"http://127.0.0.1:9000", "sallyport", seconds(60), seconds(5)},
                       *SigningKey::make()};
  DevProvider::Time now{};
  json device;

  explicit Login(Form extra = {}) {
    Form form = {{"client_id", "sallyport"}, {"scope", "openid email groups"}};
    form.merge(extra);
    device = json::parse(provider.authorize_device(form, now).json);
  }
  json poll(seconds later, Form extra = {}) {
    now += later;
    Form form = {{"client_id", "sallyport"},
                 {"grant_type", kGrant},
                 {"device_code", device.value("device_code", "")}};
    form.merge(extra);
    return json::parse(provider.token(form, now).json);
  }
  std::string error(seconds later, Form extra = {}) {
    return poll(later, extra).value("error", "");
  }
  std::string code() { return device.at("user_code"); }
};

json claims_in(const std::string& token) {
  std::string body = token.substr(token.find('.') + 1);
  body = body.substr(0, body.find('.'));
  for (char& c : body) {
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  body.append((4 - body.size() % 4) % 4, '=');
  const auto bytes = from_base64(body);
  return json::parse(bytes->begin(), bytes->end());
}

}  // namespace

TEST_CASE("a waiting login is pending, then approved, once") {
  Login login;
  CHECK(login.error(seconds(5)) == "authorization_pending");
  CHECK(login.provider.decide(login.code(), "alice", login.now) == DevProvider::Lookup::waiting);
  const json tokens = login.poll(seconds(5));
  const json claims = claims_in(tokens.at("id_token"));
  CHECK(claims.at("iss") == "http://127.0.0.1:9000");
  CHECK(claims.at("aud") == "sallyport");
  CHECK(claims.at("email") == "alice@example.com");
  CHECK(claims.at("groups") == json({"ssh-users", "admins"}));
  CHECK_FALSE(claims.contains("name"));  // the scope did not ask for the profile
  CHECK(login.error(seconds(5)) == "invalid_grant");
}

TEST_CASE("userinfo answers for its token only, and for a while") {
  Login login;
  REQUIRE(login.provider.decide(login.code(), "bob", login.now) == DevProvider::Lookup::waiting);
  const std::string token = login.poll(seconds(5)).at("access_token");
  CHECK(json::parse(login.provider.userinfo(token, login.now).json).at("sub") == "dev-bob");
  CHECK(login.provider.userinfo("", login.now).status == 401);
  CHECK(login.provider.userinfo(token, login.now + seconds(300)).status == 401);
}

TEST_CASE("a denial is access_denied") {
  Login login;
  CHECK(login.provider.decide(login.code(), std::nullopt, login.now) ==
        DevProvider::Lookup::waiting);
  CHECK(login.error(seconds(5)) == "access_denied");
}

TEST_CASE("a code that ran out is expired_token and cannot be approved") {
  Login login;
  CHECK(login.error(seconds(60)) == "expired_token");
  CHECK(login.provider.decide(login.code(), "alice", login.now) == DevProvider::Lookup::unknown);
}

TEST_CASE("each poll that comes too soon adds five seconds") {
  Login login;
  CHECK(login.error(seconds(1)) == "slow_down");
  CHECK(login.error(seconds(9)) == "slow_down");
  CHECK(login.error(seconds(15)) == "authorization_pending");
}

TEST_CASE("a login with PKCE needs its verifier") {
  const std::string challenge = to_base64url(sha256(as_bytes(kVerifier)));
  Login login({{"code_challenge", challenge}, {"code_challenge_method", "S256"}});
  REQUIRE(login.provider.decide(login.code(), "alice", login.now) == DevProvider::Lookup::waiting);
  CHECK(login.error(seconds(5)) == "invalid_grant");
  CHECK(login.error(seconds(5), {{"code_verifier", std::string(43, 'w')}}) == "invalid_grant");
  CHECK(login.poll(seconds(5), {{"code_verifier", kVerifier}}).contains("id_token"));
}

TEST_CASE("PKCE other than S256 is refused") {
  CHECK(Login({{"code_challenge", std::string(43, 'a')}}).device.contains("error"));
  CHECK(Login({{"code_challenge", std::string(43, 'a')}, {"code_challenge_method", "plain"}})
            .device.contains("error"));
  CHECK(Login({{"code_challenge", "short"}, {"code_challenge_method", "S256"}})
            .device.contains("error"));
}

TEST_CASE("another client is refused") {
  Login login;
  CHECK(login.error(seconds(5), {}) == "authorization_pending");
  const Form form = {{"client_id", "other"}, {"grant_type", kGrant}};
  CHECK(login.provider.token(form, login.now).status == 401);
  CHECK(login.provider.authorize_device({{"client_id", "other"}}, login.now).status == 401);
}

TEST_CASE("a code is found whatever its case and dashes") {
  Login login;
  std::string typed;
  for (const char c : login.code()) {
    if (c != '-') {
      typed += static_cast<char>(std::tolower(c));
    }
  }
  CHECK(login.provider.find(typed, login.now) == DevProvider::Lookup::waiting);
}

TEST_CASE("codes cannot be found by trying") {
  Login login;
  for (size_t i = 0; i < DevProvider::kMaxWrongCodes; ++i) {
    CHECK(login.provider.find("BBBB-BBBB", login.now) == DevProvider::Lookup::unknown);
  }
  CHECK(login.provider.find(login.code(), login.now) == DevProvider::Lookup::too_many);
  CHECK(login.provider.decide(login.code(), "alice", login.now) == DevProvider::Lookup::too_many);
  login.now += seconds(61);
  CHECK(login.provider.find("BBBB-BBBB", login.now) == DevProvider::Lookup::unknown);
}

TEST_CASE("logins that wait are bounded") {
  Login login;
  const Form form = {{"client_id", "sallyport"}, {"scope", "openid"}};
  for (size_t i = 1; i < DevProvider::kMaxPending; ++i) {
    CHECK(login.provider.authorize_device(form, login.now).status == 200);
  }
  CHECK(login.provider.authorize_device(form, login.now).status == 503);
}
