// SPDX-License-Identifier: Apache-2.0
// The state machine against a server that does each thing that providers were seen to do. The
// clock is ours: nothing here sleeps, except for the server that hangs.
#include "bastion/authd/oidc/device_flow.h"

#include "tests/bastion/authd/oidc_world.h"
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

namespace sallyport::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Reply = ScriptedServer::Reply;

const Reply kPending{400, R"({"error":"authorization_pending"})"};
const Reply kSlowDown{400, R"({"error":"slow_down"})"};
const Reply kTokens{200, R"({"access_token":"at","id_token":"it","token_type":"Bearer"})"};
const Reply kHtml502{502, "<html>Bad Gateway</html>", {{"content-type", "text/html"}}};

Reply error(const std::string& code, int status = 400) {
  return {status, json{{"error", code}}.dump()};
}

json device_reply() {
  return {{"device_code", "device-code-1"},
          {"user_code", "WDJB-MJHT"},
          {"verification_uri", OidcWorld::get().issuer("flow") + "/activate"},
          {"expires_in", 600}};
}

// One login: what the provider says to the start, then what it says to the polls.
struct Login {
  FakeClock clock;
  std::unique_ptr<Provider> provider;
  std::unique_ptr<DeviceFlow> flow;

  explicit Login(const std::vector<Reply>& polls, const json& start = device_reply(),
                 ProviderSettings settings = OidcWorld::get().settings("flow")) {
    OidcWorld& world = OidcWorld::get();
    world.serve_discovery("flow");
    world.server.set("/flow/device", start.dump());
    world.server.set("/flow/token", polls);
    provider = *Provider::create(*world.library, std::move(settings), clock.clock());
    flow = std::make_unique<DeviceFlow>(*provider);
  }
  DeviceFlow::Answer poll() {
    clock.steady = flow->next_poll();
    return flow->poll();
  }
  // Polls until the answer is no longer Pending, and notes the seconds before each poll.
  DeviceFlow::Answer run(std::vector<int64_t>* pauses = nullptr) {
    for (int i = 0; i < 100; ++i) {
      const auto pause = flow->next_poll() - clock.steady;
      if (pauses != nullptr) {
        pauses->push_back(std::chrono::duration_cast<seconds>(pause).count());
      }
      DeviceFlow::Answer answer = poll();
      if (!std::holds_alternative<DeviceFlow::Pending>(answer)) {
        return answer;
      }
    }
    FAIL("the flow does not end");
    return DeviceFlow::Expired{};
  }
  size_t polls() const { return OidcWorld::get().server.requests("/flow/token").size(); }
};

template <class T>
bool ends_with(const std::vector<Reply>& polls) {
  Login login(polls);
  REQUIRE(login.flow->start());
  return std::holds_alternative<T>(login.run());
}

std::vector<int64_t> pauses_of(const std::vector<Reply>& polls, const json& start = device_reply(),
                               seconds limit = seconds(3600)) {
  ProviderSettings settings = OidcWorld::get().settings("flow");
  settings.login_time_limit = limit;
  Login login(polls, start, std::move(settings));
  REQUIRE(login.flow->start());
  std::vector<int64_t> pauses;
  login.run(&pauses);
  return pauses;
}

std::string form_value(const std::string& body, const std::string& name) {
  const size_t begin = ("&" + body).find("&" + name + "=");
  if (begin == std::string::npos) {
    return {};
  }
  const size_t value = begin + name.size() + 1;
  return body.substr(value, body.find('&', value) - value);
}

}  // namespace

TEST_CASE("a login that is approved gives its tokens") {
  Login login({kPending, kPending, kTokens});
  const auto prompt = login.flow->start();
  REQUIRE(prompt);
  CHECK(prompt->user_code == "WDJB-MJHT");
  CHECK(prompt->valid_until == login.clock.wall + seconds(180));
  const auto answer = login.run();
  REQUIRE(std::holds_alternative<Tokens>(answer));
  CHECK(std::get<Tokens>(answer).id_token.view() == "it");
  CHECK(login.polls() == 3);
}

TEST_CASE("the requests carry what RFC 8628 and PKCE ask for") {
  Login login({kTokens});
  REQUIRE(login.flow->start());
  login.run();
  const std::string start = OidcWorld::get().server.requests("/flow/device").at(0).body;
  const std::string poll = OidcWorld::get().server.requests("/flow/token").at(0).body;
  CHECK(form_value(start, "client_id") == "bastion");
  CHECK(form_value(start, "scope") == "openid+profile+email");
  CHECK(form_value(start, "code_challenge_method") == "S256");
  CHECK(form_value(start, "code_challenge").size() == 43);
  CHECK(form_value(poll, "grant_type") == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code");
  CHECK(form_value(poll, "device_code") == "device-code-1");
  CHECK(form_value(poll, "code_verifier").size() == 43);
  CHECK(form_value(poll, "code_verifier") != form_value(start, "code_challenge"));
}

TEST_CASE("an interval that is missing means polling every 5 seconds") {
  CHECK(pauses_of({kPending, kPending, kTokens}) == std::vector<int64_t>{5, 5, 5});
}

TEST_CASE("an interval that is a string is obeyed") {
  json start = device_reply();
  start["interval"] = "9";
  CHECK(pauses_of({kPending, kTokens}, start) == std::vector<int64_t>{9, 9});
}

TEST_CASE("slow_down adds 5, then 10, then 15 seconds, and stays") {
  CHECK(pauses_of({kSlowDown, kSlowDown, kSlowDown, kPending, kTokens}) ==
        std::vector<int64_t>{5, 10, 20, 35, 35});
  CHECK(pauses_of({kSlowDown, kPending, kSlowDown, kTokens}) ==
        std::vector<int64_t>{5, 10, 10, 15});
}

TEST_CASE("statuses 403, 428 and 429 with a JSON error are answers") {
  CHECK(pauses_of({error("authorization_pending", 403), error("authorization_pending", 428),
                   error("authorization_pending", 429), error("authorization_pending", 200),
                   kTokens}) == std::vector<int64_t>{5, 5, 5, 5, 5});
}

TEST_CASE("denial ends the login at once, whatever it is called") {
  CHECK(ends_with<DeviceFlow::Denied>({kPending, error("access_denied", 403)}));
  CHECK(ends_with<DeviceFlow::Denied>({error("authorization_declined")}));
}

TEST_CASE("the provider's expiry ends the login") {
  CHECK(ends_with<DeviceFlow::Expired>({error("expired_token")}));
  CHECK(ends_with<DeviceFlow::Expired>({error("code_expired", 403)}));
}

TEST_CASE("any other OAuth error ends the login with its words") {
  Login login({{401, R"({"error":"invalid_client","error_description":"no such client"})"}});
  REQUIRE(login.flow->start());
  const auto answer = login.run();
  REQUIRE(std::holds_alternative<Error>(answer));
  CHECK(std::get<Error>(answer).message.find("invalid_client no such client") != std::string::npos);
  CHECK(login.polls() == 1);
}

TEST_CASE("replies that say nothing back off, doubling to 60 seconds") {
  const Reply torn{400, R"({"error":"authorization_pending"})", {}, 0, true};
  CHECK(pauses_of({kHtml502, torn, {500, ""}, {429, "slow"}, kHtml502, kPending, kTokens}) ==
        std::vector<int64_t>{5, 10, 20, 40, 60, 60, 5});
  CHECK(pauses_of({error("temporarily_unavailable", 503), error("server_error"), kTokens}) ==
        std::vector<int64_t>{5, 10, 20});
}

TEST_CASE("the ninth reply in a row that says nothing ends the login") {
  ProviderSettings settings = OidcWorld::get().settings("flow");
  settings.login_time_limit = seconds(3600);
  Login login({kHtml502}, device_reply(), std::move(settings));
  REQUIRE(login.flow->start());
  CHECK(std::holds_alternative<Error>(login.run()));
  CHECK(login.polls() == 9);
}

TEST_CASE("a server that hangs costs one time-out and a back-off") {
  ProviderSettings settings = OidcWorld::get().settings("flow");
  settings.http.timeout = std::chrono::milliseconds(300);
  Login login({{200, kTokens.body, {}, 2.0}, kTokens}, device_reply(), std::move(settings));
  REQUIRE(login.flow->start());
  const auto begin = std::chrono::steady_clock::now();
  CHECK(std::holds_alternative<DeviceFlow::Pending>(login.poll()));
  CHECK(std::chrono::steady_clock::now() - begin < seconds(1));
  CHECK(login.flow->next_poll() - login.clock.steady == seconds(10));
  CHECK(std::holds_alternative<Tokens>(login.poll()));
}

TEST_CASE("our deadline ends a login that nobody approves") {
  Login login({kPending});
  REQUIRE(login.flow->start());
  CHECK(login.flow->deadline() - login.clock.steady == seconds(180));
  CHECK(std::holds_alternative<DeviceFlow::Expired>(login.run()));
  CHECK(login.polls() == 36);  // every 5 s of 180, the last at the deadline itself
}

TEST_CASE("a shorter deadline of the provider counts") {
  json start = device_reply();
  start["expires_in"] = 20;
  Login login({kPending}, start);
  REQUIRE(login.flow->start());
  CHECK(login.flow->deadline() - login.clock.steady == seconds(20));
  CHECK(std::holds_alternative<DeviceFlow::Expired>(login.run()));
  CHECK(login.polls() == 4);
}

TEST_CASE("an approval in the last interval before the deadline counts") {
  for (const int interval : {5, 9, 15}) {  // polls at 20; at 18 and 27; at 15 and 30
    json start = device_reply();
    start["expires_in"] = 20;
    start["interval"] = interval;
    Login login(std::vector<Reply>(static_cast<size_t>(19 / interval), kPending), start);
    REQUIRE(login.flow->start());
    for (int polled = 0; polled < 19 / interval; ++polled) {
      REQUIRE(std::holds_alternative<DeviceFlow::Pending>(login.poll()));
    }
    OidcWorld::get().server.set("/flow/token", std::vector<Reply>{kTokens});
    CHECK(std::holds_alternative<Tokens>(login.poll()));
  }
}

TEST_CASE("a poll that would come long after the deadline is not made") {
  for (const int late : {0, 11}) {
    json start = device_reply();
    start["expires_in"] = 20;
    start["interval"] = late == 0 ? 16 : 5;
    Login login({kPending}, start);
    REQUIRE(login.flow->start());
    REQUIRE(std::holds_alternative<DeviceFlow::Pending>(login.poll()));
    OidcWorld::get().server.set("/flow/token", std::vector<Reply>{kTokens});
    login.clock.steady = login.flow->deadline() + seconds(late);
    CHECK(std::holds_alternative<DeviceFlow::Expired>(login.flow->poll()));
    CHECK(login.polls() == 0);
  }
}

TEST_CASE("a deadline that comes while the provider says nothing is not the person's") {
  auto start = device_reply();
  start["expires_in"] = 12;
  Login login({kPending, kHtml502}, start);
  REQUIRE(login.flow->start());
  const DeviceFlow::Answer answer = login.run();
  REQUIRE(std::holds_alternative<Error>(answer));
  CHECK(std::get<Error>(answer).code == Errc::io);
  CHECK(login.clock.steady == login.flow->deadline());  // not when the next poll would be
}

TEST_CASE("polling early asks nobody") {
  Login login({kPending});
  REQUIRE(login.flow->start());
  for (int i = 0; i < 20; ++i) {
    CHECK(std::holds_alternative<DeviceFlow::Pending>(login.flow->poll()));
  }
  CHECK(login.polls() == 0);
}

TEST_CASE("a login that has ended polls no more") {
  Login login({error("access_denied")});
  REQUIRE(login.flow->start());
  login.run();
  login.clock.advance(seconds(60));
  CHECK(std::holds_alternative<Error>(login.flow->poll()));
  CHECK(login.polls() == 1);
}

TEST_CASE("a refused start says the provider's words") {
  Login login({kPending});
  OidcWorld::get().server.set("/flow/device",
                              std::vector<Reply>{error("unauthorized_client", 400)});
  const auto prompt = login.flow->start();
  REQUIRE_FALSE(prompt);
  CHECK(prompt.error().code == Errc::denied);
  CHECK(prompt.error().message.find("unauthorized_client") != std::string::npos);
}

TEST_CASE("a start that is answered with nonsense fails") {
  for (const Reply& reply : {kHtml502, Reply{200, "<html>"}, Reply{200, "{}"}, Reply{302, "{}"}}) {
    Login login({kPending});
    OidcWorld::get().server.set("/flow/device", std::vector<Reply>{reply});
    CHECK_FALSE(login.flow->start());
  }
}

}  // namespace sallyport::test
