// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/device_reply.h"

#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

namespace sallyport::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kIssuer = "https://idp.example.org";

json good() {
  return {{"device_code", "d-1"},
          {"user_code", "WDJB-MJHT"},
          {"verification_uri", "https://idp.example.org/device"},
          {"verification_uri_complete", "https://idp.example.org/device?user_code=WDJB-MJHT"},
          {"expires_in", 600},
          {"interval", 7}};
}

json reply_with(const std::string& name, const json& value) {
  json out = good();
  out[name] = value;
  return out;
}

json reply_without(const std::string& name) {
  json out = good();
  out.erase(name);
  return out;
}

auto parse(const json& reply) {
  return parse_device_reply(reply.dump(), kIssuer);
}

template <class T>
bool token_reply_is(long status, const std::string& body) {
  return std::holds_alternative<T>(parse_token_reply(status, body));
}

}  // namespace

TEST_CASE("a device reply is read") {
  const auto reply = parse(good());
  REQUIRE(reply);
  CHECK(reply->device_code.view() == "d-1");
  CHECK(reply->user_code == "WDJB-MJHT");
  CHECK(reply->verification_uri == "https://idp.example.org/device");
  CHECK(reply->expires_in == seconds(600));
  CHECK(reply->interval == seconds(7));
}

TEST_CASE("a missing or senseless interval is 5 seconds") {
  CHECK(parse(reply_without("interval"))->interval == seconds(5));
  for (const json& value : json{0, -1, "x", "", "5s", nullptr, true, 0.5}) {
    INFO(value.dump());
    CHECK(parse(reply_with("interval", value))->interval == seconds(5));
  }
}

TEST_CASE("numbers may be strings, and are capped") {
  CHECK(parse(reply_with("interval", "8"))->interval == seconds(8));
  CHECK(parse(reply_with("expires_in", "900"))->expires_in == seconds(900));
  CHECK(parse(reply_with("expires_in", 1e15))->expires_in == seconds(24 * 3600));
  CHECK_FALSE(parse(reply_without("expires_in"))->expires_in);
}

TEST_CASE("verification_url is verification_uri") {
  json reply = reply_without("verification_uri");
  reply["verification_url"] = "https://www.google.com/device";
  CHECK(parse(reply)->verification_uri == "https://www.google.com/device");
}

TEST_CASE("what cannot be shown or used is refused") {
  for (const char* name : {"device_code", "user_code", "verification_uri"}) {
    INFO(name);
    CHECK_FALSE(parse(reply_without(name)));
    CHECK_FALSE(parse(reply_with(name, "")));
    CHECK_FALSE(parse(reply_with(name, 5)));
  }
  for (const char* code : {"AB\x1b[2JCD", "A\nB", "\xe2\x80\xae", "A\tB"}) {
    CHECK_FALSE(parse(reply_with("user_code", code)));
  }
  CHECK_FALSE(parse(reply_with("user_code", std::string(65, 'A'))));
  for (const char* uri : {"http://idp.example.org/device", "javascript:alert(1)", "device",
                          "https://a@idp.example.org/", "https://idp.example.org/\x1b[31m"}) {
    CHECK_FALSE(parse(reply_with("verification_uri", uri)));
  }
  CHECK(parse(reply_with("verification_uri_complete", "http://evil"))
            ->verification_uri_complete.empty());
}

TEST_CASE("a token reply is judged by its error, not by the status") {
  for (const long status : {200, 400, 403, 428, 429, 500}) {
    const TokenReply reply = parse_token_reply(status, R"({"error":"authorization_pending"})");
    REQUIRE(std::holds_alternative<OauthError>(reply));
    CHECK(std::get<OauthError>(reply).code == "authorization_pending");
  }
  CHECK(token_reply_is<OauthError>(200, R"({"error":"x","access_token":"a","id_token":"i"})"));
}

TEST_CASE("tokens come with status 200 only") {
  const std::string tokens = R"({"access_token":"a","id_token":"i","token_type":"Bearer"})";
  CHECK(token_reply_is<Tokens>(200, tokens));
  CHECK(token_reply_is<UnknownReply>(400, tokens));
  CHECK(token_reply_is<UnknownReply>(502, tokens));
}

TEST_CASE("tokens that cannot be used end the login") {
  CHECK(token_reply_is<OauthError>(200, R"({"access_token":"a","token_type":"Bearer"})"));
  CHECK(token_reply_is<OauthError>(200,
                                   R"({"access_token":"a","id_token":"i","token_type":"DPoP"})"));
  CHECK(token_reply_is<OauthError>(200, R"({"access_token":"a\r\nX: y","id_token":"i"})"));
  CHECK(token_reply_is<OauthError>(200, R"({"access_token":"a","id_token":5})"));
}

TEST_CASE("a reply that is no answer is unknown") {
  for (const char* body : {"", "<html>502</html>", "[]", "{}", "null", R"({"error":)",
                           R"({"error":5})", R"({"error":""})", R"({"error":"a","error":"b"})"}) {
    INFO(body);
    CHECK(token_reply_is<UnknownReply>(200, body));
    CHECK(token_reply_is<UnknownReply>(502, body));
  }
}

TEST_CASE("an error's description is made printable") {
  const TokenReply reply =
      parse_token_reply(400, R"({"error":"x\u001b[2J","error_description":"a\u0007b\nc"})");
  const auto& error = std::get<OauthError>(reply);
  for (const char c : error.code + error.description) {
    CHECK(c >= 0x20);
  }
}

}  // namespace sallyport::test
