// SPDX-License-Identifier: Apache-2.0
// Good tokens pass, and more than 200 bad ones of 68 kinds are refused, each for the reason that it
// was made for. All are signed by OpenSSL here; the keys come over HTTP as from any provider.
#include "bastion/authd/oidc/id_token.h"

#include "tests/bastion/authd/oidc_world.h"
#include "tests/bastion/authd/token_mint.h"
#include "tests/support/catch.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

namespace sallyport::test {
namespace {

using nlohmann::json;

struct BadToken {
  std::string kind;
  std::string token;
  std::string reason;  // part of the error that must come
};

// An issuer with a key for every algorithm, and another one whose keys must be worth nothing here.
class TokenFactory {
public:
  TokenFactory() {
    json only_rs256 = rs256_only.jwk(), for_encryption = encryption.jwk();
    only_rs256["alg"] = "RS256";
    for_encryption["use"] = "enc";
    OidcWorld& world = OidcWorld::get();
    world.serve_discovery("tokens");
    world.serve_discovery("single");
    const json keys = {rsa.jwk(),  p256.jwk(), p384.jwk(), p521.jwk(),
                       only_rs256, weak.jwk(), ed.jwk(),   for_encryption};
    world.server.set("/tokens/jwks", json{{"keys", keys}}.dump());
    json nameless = rsa.jwk();
    nameless.erase("kid");
    world.server.set("/single/jwks", json{{"keys", {nameless}}}.dump());
    ProviderSettings settings = world.settings("tokens");
    provider = *Provider::create(*world.library, std::move(settings), clock.clock());
  }

  json claims() const {
    const auto now = clock.wall.time_since_epoch().count();
    return {{"iss", OidcWorld::get().issuer("tokens")},
            {"sub", "248289761001"},
            {"aud", "bastion"},
            {"iat", now},
            {"exp", now + 300}};
  }
  json with(const std::string& name, const json& value) const {
    json out = claims();
    out[name] = value;
    return out;
  }
  json without(const std::string& name) const {
    json out = claims();
    out.erase(name);
    return out;
  }
  // The claims as text with one member replaced or added as it stands, for what json cannot say.
  std::string with_text(const std::string& name, const std::string& text) const {
    const std::string rest = without(name).dump();
    return rest.substr(0, rest.size() - 1) + ",\"" + name + "\":" + text + "}";
  }
  std::string header(const std::string& alg, const TestKey& key) const {
    return json{{"alg", alg}, {"kid", key.kid()}, {"typ", "JWT"}}.dump();
  }
  std::string sign(const TestKey& key, const std::string& alg, const std::string& header_text,
                   const std::string& payload) const {
    const std::string input = signing_input(header_text, payload);
    return input + "." + base64url(key.sign(alg, input));
  }
  std::string token(const std::string& payload) const {
    return sign(rsa, "RS256", header("RS256", rsa), payload);
  }
  std::string token(const json& payload) const { return token(payload.dump()); }
  std::string with_header(const json& changes) const {
    json head = json::parse(header("RS256", rsa));
    head.update(changes);
    return sign(rsa, "RS256", head.dump(), claims().dump());
  }
  int64_t now() const { return clock.wall.time_since_epoch().count(); }

  FakeClock clock;
  TestKey rsa = TestKey::rsa("rsa"), rs256_only = TestKey::rsa("rs256-only"),
          weak = TestKey::rsa("weak", 1024), encryption = TestKey::rsa("enc");
  TestKey p256 = TestKey::ec("p256"), p384 = TestKey::ec("p384", "P-384"),
          p521 = TestKey::ec("p521", "P-521");
  TestKey ed = TestKey::ed25519("ed");
  TestKey foreign = TestKey::rsa("foreign");
  std::unique_ptr<Provider> provider;
};

TokenFactory& factory() {
  static TokenFactory instance;
  return instance;
}

using Bad = std::vector<BadToken>;

void add_algorithms(const TokenFactory& f, Bad& bad) {
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string input = signing_input(json{{"alg", none}}.dump(), f.claims().dump());
    bad.push_back({"alg none", input + ".", "is not allowed"});
    bad.push_back({"alg none, signed", input + "." + base64url(f.rsa.sign("RS256", input)),
                   "is not allowed"});
  }
  for (const std::string size : {"256", "384", "512"}) {
    const std::string input = signing_input(f.header("HS" + size, f.rsa), f.claims().dump());
    for (const std::string& key : {f.rsa.public_pem(), f.rsa.jwk().dump(),
                                   f.rsa.jwk()["n"].get<std::string>(), std::string()}) {
      bad.push_back({"HMAC with the public key",
                     input + "." + base64url(hmac("SHA" + size, key, input)), "is not allowed"});
    }
  }
  bad.push_back({"EdDSA", f.sign(f.ed, "EdDSA", f.header("EdDSA", f.ed), f.claims().dump()),
                 "is not allowed"});
  for (const json& alg : json{"ES256K", "RS1", "rs256", "RS256 ", "RSA-OAEP", "dir", "RS2560"}) {
    bad.push_back({"unknown alg", f.with_header({{"alg", alg}}), "is not allowed"});
  }
  for (const json& alg : json{1, nullptr, true, json::array({"RS256"}), json::object()}) {
    bad.push_back({"alg is no text", f.with_header({{"alg", alg}}), "alg is not a string"});
  }
  bad.push_back({"alg missing", f.sign(f.rsa, "RS256", R"({"kid":"rsa"})", f.claims().dump()),
                 "is not allowed"});
}

void add_headers(const TokenFactory& f, Bad& bad) {
  for (const json& crit :
       json{json::array(), json::array({"exp"}), json::array({"b64"}), nullptr}) {
    bad.push_back({"crit", f.with_header({{"crit", crit}, {"b64", true}}), "crit"});
  }
  for (const char* typ : {"at+jwt", "logout+jwt", "secevent+jwt", "JOSE", "", "JWT "}) {
    bad.push_back({"typ of another use", f.with_header({{"typ", typ}}), "is not JWT"});
  }
  bad.push_back({"typ is no text", f.with_header({{"typ", 1}}), "typ is not a string"});
  bad.push_back({"embedded key", f.with_header({{"jwk", f.rsa.jwk()}}), "brings its own key"});
  const json with_key = {{"alg", "RS256"}, {"jwk", f.foreign.jwk()}};
  bad.push_back({"embedded key", f.sign(f.foreign, "RS256", with_key.dump(), f.claims().dump()),
                 "brings its own key"});
  const json linked = {{"alg", "RS256"}, {"kid", "rsa"}, {"jku", "http://127.0.0.1:1/jwks"}};
  bad.push_back({"linked key", f.sign(f.foreign, "RS256", linked.dump(), f.claims().dump()),
                 "wrong signature"});
  for (const char* text : {R"({"alg":"none","alg":"RS256","kid":"rsa"})",
                           R"({"alg":"RS256","kid":"p256","kid":"rsa"})",
                           R"({"alg":"RS256","kid":"rsa","x":{"a":1,"a":2}})"}) {
    bad.push_back({"duplicate header key", f.sign(f.rsa, "RS256", text, f.claims().dump()),
                   "header is not JSON"});
  }
  for (const char* text : {"[]", "null", "\"RS256\"", "1", "", " ", "{", "{}{}"}) {
    bad.push_back(
        {"header is no object", f.sign(f.rsa, "RS256", text, f.claims().dump()), "header is not"});
  }
}

void add_keys(const TokenFactory& f, Bad& bad) {
  const std::string payload = f.claims().dump();
  for (const std::string& kid :
       {std::string("unknown"), std::string(), std::string("RSA"), std::string("../../etc/passwd"),
        std::string("' OR 1=1 --"), std::string(5000, 'k')}) {
    bad.push_back({"unknown kid", f.with_header({{"kid", kid}}), "no key for"});
  }
  bad.push_back({"kid is no text", f.with_header({{"kid", 7}}), "kid is not a string"});
  bad.push_back({"kid of a key of another type", f.with_header({{"kid", "p256"}}), "no key for"});
  bad.push_back({"kid of a key of another type",
                 f.sign(f.p256, "ES256", f.header("ES256", f.rsa), payload), "no key for"});
  bad.push_back({"kid of another key", f.with_header({{"kid", "rs256-only"}}), "wrong signature"});
  bad.push_back({"no kid, several keys", f.sign(f.rsa, "RS256", R"({"alg":"RS256"})", payload),
                 "several keys fit"});
  bad.push_back({"key is for another alg",
                 f.sign(f.rs256_only, "PS256", f.header("PS256", f.rs256_only), payload),
                 "no key for"});
  bad.push_back({"key is for encryption",
                 f.sign(f.encryption, "RS256", f.header("RS256", f.encryption), payload),
                 "no key for"});
  bad.push_back(
      {"weak key", f.sign(f.weak, "RS256", f.header("RS256", f.weak), payload), "no key for"});
  bad.push_back({"curve of another alg",
                 f.sign(f.p384, "ES256", f.header("ES256", f.p384), payload), "no key for"});
  bad.push_back({"another issuer's key",
                 f.sign(f.foreign, "RS256", f.header("RS256", f.rsa), payload), "wrong signature"});
  bad.push_back({"another issuer's token",
                 f.sign(f.foreign, "RS256", f.header("RS256", f.foreign),
                        f.with("iss", "https://other.example.org").dump()),
                 "iss is not"});
}

void add_signatures(const TokenFactory& f, Bad& bad) {
  const std::string good = f.token(f.claims());
  const std::string input = good.substr(0, good.rfind('.'));
  const std::string signature = f.rsa.sign("RS256", input);
  for (size_t bit = 0; bit < 256 * 8; bit += 61) {
    std::string flipped = signature;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    bad.push_back(
        {"flipped bit in the signature", input + "." + base64url(flipped), "wrong signature"});
  }
  bad.push_back({"empty signature", input + ".", "signature is not base64url"});
  for (const std::string& other :
       {std::string(256, '\0'), std::string(256, '\xff'), std::string("\0", 1), signature + '\0',
        '\0' + signature, signature.substr(0, 255), f.foreign.sign("RS256", input)}) {
    bad.push_back({"other signature", input + "." + base64url(other), "wrong signature"});
  }
  const std::string ec_input = signing_input(f.header("ES256", f.p256), f.claims().dump());
  const std::string zero(64, '\0');
  for (const std::string& other : {zero, std::string(64, '\xff'), f.p256.sign_der(ec_input),
                                   f.p256.sign("ES256", ec_input).substr(0, 63)}) {
    bad.push_back(
        {"ECDSA signature of another form", ec_input + "." + base64url(other), "wrong signature"});
  }
  const std::string pss = signing_input(f.header("PS256", f.rsa), f.claims().dump());
  bad.push_back({"PKCS#1 signature under PS256", pss + "." + base64url(f.rsa.sign("RS256", pss)),
                 "wrong signature"});
  const std::string other = f.token(f.with("sub", "admin"));
  const std::string admin = other.substr(0, other.rfind('.'));
  bad.push_back(
      {"signature of another token", admin + "." + base64url(signature), "wrong signature"});
}

void add_shapes(const TokenFactory& f, Bad& bad) {
  const std::string good = f.token(f.claims());
  const size_t first = good.find('.'), second = good.rfind('.');
  for (size_t i = 1; i <= 12; ++i) {
    bad.push_back({"truncated", good.substr(0, good.size() * i / 13), "token: "});
  }
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("...."),
        good.substr(0, second), good + ".", good + ".e30", good.substr(0, first)}) {
    bad.push_back({"not three parts", text, "token: "});
  }
  bad.push_back(
      {"five parts, as encrypted tokens have", "eyJhbGciOiJkaXIifQ..AA.AA.AA", "not three parts"});
  for (const std::string& text : {" " + good, good + " ", good + "\n", "\t" + good,
                                  good.substr(0, first) + " " + good.substr(first),
                                  std::string(good).insert(second - 3, "\r\n")}) {
    bad.push_back({"white space", text, "is not base64url"});
  }
  for (const size_t place : {size_t{0}, first - 1, first + 5, second + 9, good.size()}) {
    bad.push_back({"NUL byte", std::string(good).insert(place, 1, '\0'), "is not base64url"});
  }
  for (const char* text : {"=", "==", "+", "/", "%3D", "\xc3\xa9"}) {
    bad.push_back({"foreign characters", good + text, "is not base64url"});
    bad.push_back(
        {"foreign characters", std::string(good).insert(second, text), "is not base64url"});
  }
  std::string stray = good;  // 256 bytes leave two unused bits in the last character
  stray.back() = stray.back() == 'A' ? 'B' : static_cast<char>(stray.back() + 1);
  bad.push_back({"stray bits", stray, "is not base64url"});
  bad.push_back({"huge", f.token(f.with("x", std::string(60'000, 'x'))), "longer than"});
  bad.push_back({"deep", f.token("{\"x\":" + std::string(3000, '[') + std::string(3000, ']') + "}"),
                 "payload is not JSON"});
}

void add_payloads(const TokenFactory& f, Bad& bad) {
  for (const char* text :
       {"[]", "\"text\"", "1", "null", "true", "", " ", "{", "{}x", "{} {}", "'"}) {
    bad.push_back({"payload is no object", f.token(std::string(text)), "payload is not"});
  }
  const std::string body = f.claims().dump();
  for (const char* name : {"iss", "sub", "aud", "exp", "iat"}) {
    bad.push_back({"duplicate claim",
                   f.token(body.substr(0, body.size() - 1) + ",\"" + name +
                           "\":" + f.claims()[name].dump() + "}"),
                   "payload is not JSON"});
  }
  bad.push_back({"duplicate claim inside", f.token(f.with_text("x", R"({"a":1,"a":1})")),
                 "payload is not JSON"});
  for (const char* text : {"\"\xff\"", "\"\\ud800\"", "\"\\u0000\"", "\"a\0b\"", "1e400", "-1e400",
                           "NaN", "Infinity", "0x10", "01", "99999999999999999999"}) {
    bad.push_back(
        {"what JSON does not have", f.token(f.with_text("x", text)), "payload is not JSON"});
  }
  bad.push_back({"byte order mark", f.token("\xef\xbb\xbf" + body), "payload is not JSON"});
}

void add_names(const TokenFactory& f, Bad& bad) {
  const std::string issuer = OidcWorld::get().issuer("tokens");
  for (const json& iss :
       json{issuer + "/", issuer.substr(0, issuer.size() - 1), "HTTP" + issuer.substr(4),
            "https://evil.example.org", "", 1, nullptr, json::array({issuer})}) {
    bad.push_back({"wrong iss", f.token(f.with("iss", iss)), "iss is not"});
  }
  bad.push_back({"iss missing", f.token(f.without("iss")), "iss is not"});
  for (const json& aud : json{"other", "bastion2", "Bastion", "", 7, nullptr, json::object(),
                              json::array(), json::array({"a", "b"})}) {
    bad.push_back({"wrong aud", f.token(f.with("aud", aud)), "aud does not name"});
  }
  bad.push_back({"aud missing", f.token(f.without("aud")), "aud does not name"});
  bad.push_back({"aud holds a number", f.token(f.with("aud", {"bastion", 1})), "aud holds"});
  bad.push_back(
      {"aud of many, no azp", f.token(f.with("aud", {"bastion", "other"})), "azp is missing"});
  for (const json& azp : json{"other", "", 1, nullptr, json::array({"bastion"})}) {
    bad.push_back({"wrong azp", f.token(f.with("azp", azp)), "azp is another"});
  }
  bad.push_back({"sub missing", f.token(f.without("sub")), "sub is missing"});
  for (const json& sub : json{"", 1, nullptr, json::array({"a"})}) {
    bad.push_back({"sub empty or no text", f.token(f.with("sub", sub)), "sub is missing"});
  }
  for (const char* sub : {"a\nb", "\x1b[31m", "\xc3\xa9va", "a\x7f"}) {
    bad.push_back({"sub with strange characters", f.token(f.with("sub", sub)), "sub is not"});
  }
  bad.push_back({"sub too long", f.token(f.with("sub", std::string(256, 's'))), "sub is not"});
}

void add_times(const TokenFactory& f, Bad& bad) {
  const int64_t now = f.now();
  for (const char* name : {"exp", "iat", "nbf", "auth_time"}) {
    for (const json& value :
         json{std::to_string(now), true, nullptr, json::array({now}), -1, 1e300}) {
      bad.push_back({std::string(name) + " is not a time", f.token(f.with(name, value)),
                     std::string(name) + " is not a time"});
    }
  }
  bad.push_back({"exp missing", f.token(f.without("exp")), "exp is missing"});
  bad.push_back({"iat missing", f.token(f.without("iat")), "iat is missing"});
  for (const int64_t exp : {now - 60, now - 3600, int64_t{0}, int64_t{1}}) {
    json old = f.with("exp", exp);
    old["iat"] = 0;
    bad.push_back({"expired", f.token(old), "has expired"});
  }
  bad.push_back({"expired, as a fraction", f.token(f.with("exp", static_cast<double>(now) - 60.5)),
                 "has expired"});
  for (const int64_t late : {now + 61, now + 3600}) {
    json future = f.with("iat", late);
    future["exp"] = late + 300;
    bad.push_back({"iat in the future", f.token(future), "iat is in the future"});
    bad.push_back({"nbf in the future", f.token(f.with("nbf", late)), "not valid yet"});
    bad.push_back({"auth_time in the future", f.token(f.with("auth_time", late)),
                   "auth_time is in the future"});
  }
  for (const int64_t exp : {now, now + 24 * 3600 + 1, int64_t{1} << 50}) {
    bad.push_back({"lifetime", f.token(f.with("exp", exp)), "valid for longer"});
  }
}

Bad make_bad_tokens() {
  Bad bad;
  for (const auto add : {add_algorithms, add_headers, add_keys, add_signatures, add_shapes,
                         add_payloads, add_names, add_times}) {
    add(factory(), bad);
  }
  return bad;
}

}  // namespace

TEST_CASE("200 bad ID tokens of 68 kinds are refused, each for its reason") {
  TokenFactory& f = factory();
  const Bad bad = make_bad_tokens();
  std::set<std::string> kinds;
  for (const BadToken& one : bad) {
    kinds.insert(one.kind);
    const auto claims = verify_id_token(*f.provider, one.token);
    INFO(one.kind << ": " << one.token.substr(0, 300));
    REQUIRE_FALSE(claims);
    INFO(claims.error().message);
    CHECK(claims.error().message.find(one.reason) != std::string::npos);
  }
  CHECK(bad.size() >= 200);
  CHECK(kinds.size() >= 68);
  CHECK(verify_id_token(*f.provider, f.token(f.claims())));
  // The first time, and once for all the unknown kids.
  CHECK(OidcWorld::get().server.requests("/tokens/jwks").size() <= 2);
}

TEST_CASE("a good ID token of each algorithm passes") {
  TokenFactory& f = factory();
  const std::map<std::string, const TestKey*> keys = {
      {"RS256", &f.rsa},  {"RS384", &f.rsa},  {"RS512", &f.rsa},
      {"PS256", &f.rsa},  {"PS384", &f.rsa},  {"PS512", &f.rsa},
      {"ES256", &f.p256}, {"ES384", &f.p384}, {"ES512", &f.p521}};
  for (const auto& [alg, key] : keys) {
    const auto claims =
        verify_id_token(*f.provider, f.sign(*key, alg, f.header(alg, *key), f.claims().dump()));
    INFO(alg << ": " << (claims ? "" : claims.error().message));
    REQUIRE(claims);
    CHECK(claims->subject == "248289761001");
    CHECK(claims->issuer == OidcWorld::get().issuer("tokens"));
    CHECK(claims->expires_at - claims->issued_at == std::chrono::seconds(300));
  }
}

TEST_CASE("what OpenID Connect allows in an ID token passes") {
  TokenFactory& f = factory();
  json many = f.with("aud", {"bastion", "account"});
  many["azp"] = "bastion";
  json late = f.with("iat", f.now() + 59);
  for (const json& good :
       json{many, late, f.with("aud", json::array({"bastion"})),
            f.with("exp", static_cast<double>(f.now()) + 100.25), f.with("nbf", f.now() + 59),
            f.with("auth_time", f.now() - 9999), f.with("sub", std::string(255, 's')),
            f.with("exp", f.now() + 24 * 3600), f.with("nonce", "unasked")}) {
    const auto claims = verify_id_token(*f.provider, f.token(good));
    INFO(good.dump() << (claims ? "" : claims.error().message));
    CHECK(claims);
  }
  CHECK(verify_id_token(*f.provider, f.with_header({{"typ", "jwt"}})));
  CHECK(verify_id_token(
      *f.provider, f.sign(f.rsa, "RS256", R"({"alg":"RS256","kid":"rsa"})", f.claims().dump())));
}

TEST_CASE("a token without kid passes where the provider has one key") {
  TokenFactory& f = factory();
  OidcWorld& world = OidcWorld::get();
  const auto single = *Provider::create(*world.library, world.settings("single"), f.clock.clock());
  const json claims = f.with("iss", world.issuer("single"));
  CHECK(verify_id_token(*single, f.sign(f.rsa, "PS256", R"({"alg":"PS256"})", claims.dump())));
  CHECK_FALSE(
      verify_id_token(*single, f.sign(f.foreign, "PS256", R"({"alg":"PS256"})", claims.dump())));
  CHECK_FALSE(verify_id_token(
      *single, f.sign(f.rsa, "PS256", R"({"alg":"PS256","kid":"rsa"})", claims.dump())));
}

TEST_CASE("a key that was replaced under the same name is fetched, at most once a minute") {
  TokenFactory& f = factory();
  OidcWorld& world = OidcWorld::get();
  for (const char* header : {R"({"alg":"RS256"})", R"({"alg":"RS256","kid":"rsa"})"}) {
    world.serve_discovery("rotated");
    FakeClock clock = f.clock;
    const auto provider =
        *Provider::create(*world.library, world.settings("rotated"), clock.clock());
    const auto serve = [&](const TestKey& key) {
      json jwk = key.jwk();
      jwk["kid"] = "rsa";
      world.server.set("/rotated/jwks", json{{"keys", {jwk}}}.dump());
    };
    const json claims = f.with("iss", world.issuer("rotated"));
    const std::string old_token = f.sign(f.rsa, "RS256", header, claims.dump());
    const std::string new_token = f.sign(f.foreign, "RS256", header, claims.dump());
    serve(f.rsa);
    CHECK(verify_id_token(*provider, old_token));
    serve(f.foreign);
    CHECK_FALSE(verify_id_token(*provider, new_token));
    clock.advance(std::chrono::seconds(61));
    CHECK(verify_id_token(*provider, new_token));
    for (int i = 0; i < 20; ++i) {
      CHECK_FALSE(verify_id_token(*provider, old_token));
    }
    CHECK(world.server.requests("/rotated/jwks").size() == 1);  // since it was served anew
  }
}

TEST_CASE("a nonce that was sent must come back") {
  TokenFactory& f = factory();
  CHECK(verify_id_token(*f.provider, f.token(f.with("nonce", "n-1")), "n-1"));
  CHECK_FALSE(verify_id_token(*f.provider, f.token(f.with("nonce", "n-2")), "n-1"));
  CHECK_FALSE(verify_id_token(*f.provider, f.token(f.claims()), "n-1"));
}

TEST_CASE("an old sign-in at the provider is refused where its age is limited") {
  TokenFactory& f = factory();
  ProviderSettings settings = OidcWorld::get().settings("tokens");
  settings.max_authentication_age = std::chrono::seconds(3600);
  const auto strict =
      *Provider::create(*OidcWorld::get().library, std::move(settings), f.clock.clock());
  CHECK(verify_id_token(*strict, f.token(f.with("auth_time", f.now() - 3600))));
  CHECK_FALSE(verify_id_token(*strict, f.token(f.with("auth_time", f.now() - 3661))));
  CHECK_FALSE(verify_id_token(*strict, f.token(f.claims())));
}

TEST_CASE("a verified token is not believed again after it has expired") {
  FakeClock clock;
  TokenFactory& f = factory();
  const auto provider = *Provider::create(*OidcWorld::get().library,
                                          OidcWorld::get().settings("tokens"), clock.clock());
  const std::string token = f.token(f.claims());
  CHECK(verify_id_token(*provider, token));
  clock.advance(std::chrono::seconds(360));
  CHECK_FALSE(verify_id_token(*provider, token));
}

}  // namespace sallyport::test
