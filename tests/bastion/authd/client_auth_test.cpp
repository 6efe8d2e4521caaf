// SPDX-License-Identifier: Apache-2.0
// What each kind of client authentication puts on the wire, as the server sees it.
#include "bastion/authd/oidc/jws.h"
#include "bastion/authd/oidc/provider.h"
#include "tests/bastion/authd/oidc_world.h"
#include "tests/bastion/authd/token_mint.h"
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

namespace sallyport::test {
namespace {

constexpr std::string_view kSecret = "secret+with/odd:chars&100%";

ScriptedServer::Request send_as(ClientAuthentication kind, std::string_view jwk = {}) {
  OidcWorld& world = OidcWorld::get();
  world.serve_discovery("auth");
  world.server.set("/auth/token", "{}");
  ProviderSettings settings = world.settings("auth");
  settings.client_id = "the bastion";
  settings.client_authentication = kind;
  settings.client_secret = SecretBytes(kSecret);
  settings.client_key_jwk = SecretBytes(jwk);
  const auto provider = *Provider::create(*world.library, std::move(settings));
  REQUIRE(provider->post(world.issuer("auth") + "/token", {{"device_code", "d e"}}));
  return world.server.requests("/auth/token").at(0);
}

}  // namespace

TEST_CASE("a public client sends its id and no secret") {
  const auto request = send_as(ClientAuthentication::none);
  CHECK(request.body == "device_code=d+e&client_id=the+bastion");
  CHECK(request.headers.count("authorization") == 0);
  CHECK(request.headers.at("content-type") == "application/x-www-form-urlencoded");
}

TEST_CASE("basic encodes id and secret before joining them") {
  const auto request = send_as(ClientAuthentication::basic);
  // printf %s 'the+bastion:secret%2Bwith%2Fodd%3Achars%26100%25' | base64
  CHECK(request.headers.at("authorization") ==
        "Basic dGhlK2Jhc3Rpb246c2VjcmV0JTJCd2l0aCUyRm9kZCUzQWNoYXJzJTI2MTAwJTI1");
  CHECK(request.body == "device_code=d+e");
}

TEST_CASE("raw basic joins them as they are") {
  const auto request = send_as(ClientAuthentication::basic_raw);
  // printf %s 'the bastion:secret+with/odd:chars&100%' | base64
  CHECK(request.headers.at("authorization") ==
        "Basic dGhlIGJhc3Rpb246c2VjcmV0K3dpdGgvb2RkOmNoYXJzJjEwMCU=");
}

TEST_CASE("post sends both in the form") {
  const auto request = send_as(ClientAuthentication::post);
  CHECK(request.body ==
        "device_code=d+e&client_secret=secret%2Bwith%2Fodd%3Achars%26100%25&client_id=the+bastion");
  CHECK(request.headers.count("authorization") == 0);
}

TEST_CASE("private_key_jwt signs an assertion for the token endpoint") {
  const std::string jwk = TestKey::rsa("client").private_jwk().dump();
  const auto request = send_as(ClientAuthentication::private_key_jwt, jwk);
  const size_t begin = request.body.find("client_assertion=") + 17;
  const std::string assertion = request.body.substr(begin, request.body.find('&', begin) - begin);
  const auto decoded = decode_token(assertion);
  REQUIRE(decoded);
  const auto claims = nlohmann::json::parse(to_compact_json(decoded->payload.get()));
  CHECK(decoded->header.alg == "RS256");
  CHECK(claims.at("aud") == OidcWorld::get().issuer("auth") + "/token");
  CHECK(claims.at("iss") == "the bastion");
  CHECK(claims.at("sub") == "the bastion");
  CHECK(claims.at("exp").get<int64_t>() - claims.at("iat").get<int64_t>() == 60);
  CHECK(request.body.find("client_id=the+bastion") != std::string::npos);
}

}  // namespace sallyport::test
