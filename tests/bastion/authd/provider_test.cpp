// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/provider.h"

#include "bastion/authd/oidc/id_token.h"
#include "tests/bastion/authd/oidc_world.h"
#include "tests/bastion/authd/token_mint.h"
#include "tests/support/catch.h"

#include <atomic>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

namespace sallyport::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Reply = ScriptedServer::Reply;

const TestKey& key() {
  static const TestKey instance = TestKey::rsa("k1");
  return instance;
}

struct Fixture {
  OidcWorld& world = OidcWorld::get();
  FakeClock clock;
  std::unique_ptr<Provider> provider;

  explicit Fixture(ProviderSettings settings = OidcWorld::get().settings("p")) {
    world.serve_discovery("p");
    world.server.set("/p/jwks", json{{"keys", {key().jwk()}}}.dump());
    provider = *Provider::create(*world.library, std::move(settings), clock.clock());
  }
  bool has_key(const std::string& kid) {
    return static_cast<bool>(provider->key_for({"RS256", kid}));
  }
  size_t fetches(const std::string& path) { return world.server.requests(path).size(); }
};

Result<HttpReply> get(const std::string& url, const HttpSettings& settings = {}) {
  HttpRequest request;
  request.url = url;
  return http_call(settings, request);
}

}  // namespace

TEST_CASE("keys are fetched once and used from then on") {
  Fixture f;
  for (int i = 0; i < 20; ++i) {
    CHECK(f.has_key("k1"));
  }
  CHECK(f.fetches("/p/jwks") == 1);
  CHECK(f.fetches("/p/.well-known/openid-configuration") == 1);
}

TEST_CASE("an unknown kid fetches the keys again, at most once a minute") {
  Fixture f;
  CHECK(f.has_key("k1"));
  for (int second = 0; second < 180; ++second) {
    CHECK_FALSE(f.has_key("unknown" + std::to_string(second)));
    f.clock.advance(seconds(1));
  }
  CHECK(f.fetches("/p/jwks") == 3);
}

TEST_CASE("a rotated key is found, and the one that went is refused") {
  Fixture f;
  CHECK(f.has_key("k1"));
  json next = key().jwk();
  next["kid"] = "k2";
  f.world.server.set("/p/jwks", json{{"keys", {next}}}.dump());
  f.clock.advance(seconds(61));
  CHECK(f.has_key("k2"));
  CHECK_FALSE(f.has_key("k1"));
}

TEST_CASE("keys are fetched again after an hour") {
  Fixture f;
  CHECK(f.has_key("k1"));
  f.world.server.set("/p/jwks", R"({"keys":[]})");
  f.clock.advance(seconds(3599));
  CHECK(f.has_key("k1"));
  f.clock.advance(seconds(1));
  CHECK_FALSE(f.has_key("k1"));
}

TEST_CASE("a failure is remembered for five seconds") {
  Fixture f;
  f.world.server.set("/p/jwks", std::vector<Reply>{{500, ""}});
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(f.has_key("k1"));
  }
  CHECK(f.fetches("/p/jwks") == 1);
  f.world.server.set("/p/jwks", json{{"keys", {key().jwk()}}}.dump());
  f.clock.advance(seconds(5));
  CHECK(f.has_key("k1"));
}

TEST_CASE("a key set of 10 MB is refused") {
  Fixture f;
  json padded = key().jwk();
  padded["x"] = "@PAD@";
  f.world.server.set("/p/jwks", {{200, json{{"keys", {padded}}}.dump(), {}, 0, false, 10'000'000}});
  const auto answer = f.provider->key_for({"RS256", "k1"});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::limit);
  f.world.server.set("/p/jwks", {{200, json{{"keys", {padded}}}.dump(), {}, 0, false, 100'000}});
  f.clock.advance(seconds(5));
  CHECK(f.has_key("k1"));
}

TEST_CASE("many threads share one fetch") {
  Fixture f;
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        good += f.has_key("k1") ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(good == 200);
  CHECK(f.fetches("/p/jwks") == 1);
}

TEST_CASE("tokens are verified in many threads at once") {
  Fixture f;
  const auto now = f.clock.wall.time_since_epoch().count();
  const std::string input =
      signing_input(R"({"alg":"RS256","kid":"k1"})", json{{"iss", f.world.issuer("p")},
                                                          {"sub", "a"},
                                                          {"aud", "bastion"},
                                                          {"iat", now},
                                                          {"exp", now + 60}}
                                                         .dump());
  const std::string good_token = input + "." + base64url(key().sign("RS256", input));
  const std::string bad_token = input + "." + base64url(std::string(256, '\x01'));
  std::atomic<int> good = 0, bad = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        good += verify_id_token(*f.provider, good_token) ? 1 : 0;
        bad += verify_id_token(*f.provider, bad_token) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(good == 200);
  CHECK(bad == 0);
}

TEST_CASE("a discovery document of another issuer is refused") {
  Fixture f;
  const json document = {{"issuer", f.world.issuer("p") + "/"},
                         {"jwks_uri", f.world.issuer("p") + "/jwks"},
                         {"token_endpoint", f.world.issuer("p") + "/token"},
                         {"device_authorization_endpoint", f.world.issuer("p") + "/device"}};
  f.world.server.set("/p/.well-known/openid-configuration", document.dump());
  const auto metadata = f.provider->metadata();
  REQUIRE_FALSE(metadata);
  CHECK(metadata.error().message.find("names the issuer") != std::string::npos);
}

TEST_CASE("a discovery address of one's own is used") {
  ProviderSettings settings = OidcWorld::get().settings("p");
  settings.discovery_url = OidcWorld::get().server.url("/elsewhere");
  Fixture f(std::move(settings));
  f.world.server.set("/elsewhere",
                     {{200, json{{"issuer", f.world.issuer("p")},
                                 {"jwks_uri", f.world.issuer("p") + "/jwks"},
                                 {"token_endpoint", f.world.issuer("p") + "/token"},
                                 {"device_authorization_endpoint", f.world.issuer("p") + "/d"}}
                                .dump()}});
  CHECK(f.has_key("k1"));
}

TEST_CASE("endpoints must be https unless issuer and endpoint are loopback") {
  const std::string remote = "https://idp.example.org", local = "http://127.0.0.1:9001";
  const auto parse = [](const std::string& issuer, const std::string& endpoint) {
    const json document = {{"issuer", issuer},
                           {"jwks_uri", endpoint},
                           {"token_endpoint", endpoint},
                           {"device_authorization_endpoint", endpoint}};
    return static_cast<bool>(parse_metadata(document.dump(), issuer));
  };
  CHECK(parse(remote, "https://tokens.example.org/x"));
  CHECK(parse(local, "http://[::1]:9001/x"));
  CHECK(parse(local, "https://idp.example.org/x"));
  CHECK_FALSE(parse(remote, "http://idp.example.org/x"));
  CHECK_FALSE(parse(remote, "http://127.0.0.1/x"));
  CHECK_FALSE(parse(local, "http://169.254.169.254/latest"));
  CHECK_FALSE(parse(remote, "file:///etc/passwd"));
  CHECK_FALSE(parse(remote, ""));
}

TEST_CASE("settings that cannot work are refused with their name") {
  const auto refuses = [](const char* name, auto change) {
    ProviderSettings settings = OidcWorld::get().settings("p");
    change(settings);
    const Status status = check_provider_settings(settings);
    return !status && status.error().message.starts_with(name);
  };
  CHECK(refuses("issuer", [](auto& s) { s.issuer = "http://idp.example.org"; }));
  CHECK(refuses("issuer", [](auto& s) { s.issuer = "https://idp.example.org/?x=1"; }));
  CHECK(refuses("discovery_url", [](auto& s) { s.discovery_url = "http://idp.example.org/x"; }));
  CHECK(refuses("client_id", [](auto& s) { s.client_id = ""; }));
  CHECK(refuses("scopes", [](auto& s) { s.scopes = {"profile"}; }));
  CHECK(refuses("client_secret",
                [](auto& s) { s.client_authentication = ClientAuthentication::basic; }));
  CHECK(refuses("client_key_jwk",
                [](auto& s) { s.client_authentication = ClientAuthentication::private_key_jwt; }));
}

TEST_CASE("a redirect is not followed and carries nothing away") {
  Fixture f;
  for (const int status : {301, 302, 303, 307, 308}) {
    f.world.server.set("/leak", "{}");
    f.world.server.set("/p/token", {{status, "", {{"location", f.world.server.url("/leak")}}}});
    const auto reply =
        f.provider->post(f.world.issuer("p") + "/token", {{"device_code", "secret"}});
    REQUIRE(reply);
    CHECK(reply->status == status);
    CHECK(f.world.server.requests("/leak").empty());
  }
}

TEST_CASE("a proxy in the environment is ignored, one in the settings is used") {
  Fixture f;
  const std::string url = f.world.server.url("/plain");
  f.world.server.set("/plain", "{}");
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
    setenv(name, "http://127.0.0.1:1", 1);
  }
  setenv("no_proxy", "*", 1);
  CHECK(get(url));
  HttpSettings settings;
  settings.proxy = "http://127.0.0.1:1";
  CHECK_FALSE(get(url, settings));
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy"}) {
    unsetenv(name);
  }
}

TEST_CASE("a reply that hangs, and nobody at the door, are errors in time") {
  Fixture f;
  HttpSettings settings;
  settings.timeout = std::chrono::milliseconds(200);
  f.world.server.set("/hang", {{200, "{}", {}, 3.0}});
  const auto begin = std::chrono::steady_clock::now();
  CHECK(get(f.world.server.url("/hang"), settings).error().code == Errc::io);
  CHECK(get("http://127.0.0.1:1/", settings).error().code == Errc::io);
  CHECK(std::chrono::steady_clock::now() - begin < seconds(2));
}

}  // namespace sallyport::test
