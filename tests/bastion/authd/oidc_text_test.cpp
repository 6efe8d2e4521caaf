// SPDX-License-Identifier: Apache-2.0
// The small parts: addresses, scrubbing, key sets.
#include "bastion/authd/oidc/key_set.h"
#include "bastion/authd/oidc/scrub.h"
#include "bastion/authd/oidc/url.h"
#include "tests/bastion/authd/token_mint.h"
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

namespace sallyport::test {

using nlohmann::json;

TEST_CASE("https anywhere and http on loopback are addresses") {
  for (const char* url : {"https://idp.example.org", "https://idp.example.org:8443/a/b?c=d",
                          "https://[2001:db8::1]/x", "https://192.0.2.1/"}) {
    INFO(url);
    CHECK(classify_url(url) == UrlKind::https);
  }
  for (const char* url :
       {"http://127.0.0.1:9001", "http://127.1.2.3/x", "http://[::1]:80/x", "http://localhost/"}) {
    INFO(url);
    CHECK(classify_url(url) == UrlKind::http_loopback);
  }
}

TEST_CASE("every other address is refused") {
  for (const char* url : {"",
                          "https://",
                          "https:///x",
                          "http://idp.example.org",
                          "http://127.0.0.1.evil.org/",
                          "http://127.0.0.1@evil.org/",
                          "http://127.1/",
                          "http://127.0.0.256/",
                          "http://0x7f.0.0.1/",
                          "http://localhost.evil.org/",
                          "https://a:b@idp/",
                          "https://idp:99999/",
                          "https://idp:/",
                          "HTTPS://idp/",
                          "ftp://idp/",
                          "file:///etc/passwd",
                          "https://idp/ x",
                          "https://idp/\n",
                          "https://idp/#f",
                          "https://[::1",
                          "https://idp\\@evil/",
                          "//idp/",
                          "https:idp",
                          "https://idp/\xc3\xa9"}) {
    INFO(url);
    CHECK(classify_url(url) == UrlKind::refused);
  }
  CHECK(classify_url("https://idp/" + std::string(3000, 'a')) == UrlKind::refused);
}

TEST_CASE("tokens, codes and secrets do not reach the log") {
  const std::string jwt =
      "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJhbGljZSIsImlhdCI6MTUxN30."
      "c2lnbmF0dXJlLXdpdGgtbWFueS1ieXRlcw";
  for (const std::string& line :
       {"could NOT store: " + jwt, "token=" + jwt + " x",
        std::string("Authorization: Bearer S3cr3t"), std::string("client_secret=S3cr3t&x=1"),
        std::string("{\"device_code\": \"S3cr3t\"}"), std::string("Authorization: Basic S3cr3t"),
        "[" + jwt.substr(0, 40) + "]"}) {
    const std::string scrubbed = scrub_secrets(line);
    INFO(line << " -> " << scrubbed);
    CHECK(scrubbed.find("S3cr3t") == std::string::npos);
    CHECK(scrubbed.find("eyJ") == std::string::npos);
    CHECK(scrubbed.find("c2ln") == std::string::npos);
    CHECK(scrubbed.find("<redacted>") != std::string::npos);
  }
}

TEST_CASE("plain words stay in the log") {
  for (const char* line :
       {"curl_easy_perform failed for: https://login.microsoftonline.com/common/v2.0 [28]",
        "cjose_jws_verify failed: [jws.c:942 _cjose_jws_verify crypto error]", "a & b", ""}) {
    CHECK(scrub_secrets(line) == line);
  }
}

TEST_CASE("a key set keeps only keys that can verify") {
  const TestKey rsa = TestKey::rsa("r"), weak = TestKey::rsa("w", 1024);
  const TestKey ec = TestKey::ec("e"), ed = TestKey::ed25519("d");
  const auto parse = [](const json& keys) { return KeySet::parse(json{{"keys", keys}}.dump()); };
  CHECK(parse({rsa.jwk(), ec.jwk()})->size() == 2);
  CHECK(parse({weak.jwk(), ed.jwk(), 5, nullptr, "x"})->size() == 0);
  json odd = rsa.jwk();
  const struct {
    const char* name;
    json value;
  } changes[] = {{"use", "enc"},
                 {"use", 5},
                 {"key_ops", json::array({"encrypt"})},
                 {"e", "AQ"},
                 {"e", "AQAA"},
                 {"e", base64url("\x01\x01\x01\x01\x01")},
                 {"n", "AQAB"},
                 {"n", 5},
                 {"kty", "oct"},
                 {"kty", nullptr},
                 {"n", base64url(std::string(2000, '\xff'))}};
  for (const auto& change : changes) {
    json key = rsa.jwk();
    key[change.name] = change.value;
    INFO(key.dump());
    CHECK(parse(json::array({key}))->size() == 0);
  }
}

TEST_CASE("a key with a sign byte is the same key") {
  const TestKey rsa = TestKey::rsa("r");
  json padded = rsa.jwk();
  padded["n"] = base64url(std::string(1, '\0') + *decode_base64url(padded["n"].get<std::string>()));
  const auto parse = [](const json& key) { return KeySet::parse(json{{"keys", {key}}}.dump()); };
  CHECK(*parse(padded)->choose({"RS256", "r"}) == *parse(rsa.jwk())->choose({"RS256", "r"}));
}

TEST_CASE("two keys with one kid are no choice") {
  const json key = TestKey::rsa("same").jwk(), other = TestKey::rsa("same").jwk();
  const auto set = KeySet::parse(json{{"keys", {key, other}}}.dump());
  CHECK(set->choose({"RS256", "same"}).error().code == Errc::protocol);
  CHECK(set->choose({"ES256", "same"}).error().code == Errc::not_found);
}

TEST_CASE("what is no key set is refused") {
  for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":null})", "<html>",
                           R"({"keys":[],"keys":[]})"}) {
    CHECK_FALSE(KeySet::parse(text));
  }
  CHECK_FALSE(KeySet::parse(json{{"keys", std::vector<int>(201)}}.dump()));
}

}  // namespace sallyport::test
