// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/person.h"

#include "tests/bastion/authd/oidc_world.h"
#include "tests/bastion/authd/token_mint.h"
#include "tests/support/catch.h"

#include <nlohmann/json.hpp>

namespace sallyport::test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

struct Fixture {
  OidcWorld& world = OidcWorld::get();
  FakeClock clock;
  ProviderSettings settings = OidcWorld::get().settings("person");

  Fixture() {
    world.serve_discovery("person");
    world.server.set("/person/jwks", json{{"keys", {key().jwk()}}}.dump());
    world.server.set("/person/userinfo", {{500, ""}});
  }
  static const TestKey& key() {
    static const TestKey instance = TestKey::rsa("k1");
    return instance;
  }
  // Signs the claims that every token has and these, and asks who that is.
  Result<Person> identify(json claims) {
    const auto now = clock.wall.time_since_epoch().count();
    claims.update(
        {{"iss", world.issuer("person")}, {"aud", "bastion"}, {"iat", now}, {"exp", now + 60}});
    claims.emplace("sub", "subject-1");
    const std::string input = signing_input(R"({"alg":"RS256","kid":"k1"})", claims.dump());
    const Tokens tokens{
        SecretBytes(std::string_view(input + "." + base64url(key().sign("RS256", input)))),
        SecretBytes(std::string_view("the-access-token"))};
    const auto provider = *Provider::create(*world.library, std::move(settings), clock.clock());
    return identify_person(*provider, tokens);
  }
};

const json kAlice = {{"preferred_username", "alice"}, {"groups", {"ssh-users", "db-admins"}}};

json alice_with(const std::string& name, const json& value) {
  json out = kAlice;
  out[name] = value;
  return out;
}

json alice_without(const std::string& name) {
  json out = kAlice;
  out.erase(name);
  return out;
}

}  // namespace

TEST_CASE("a token with everything in it needs no userinfo") {
  Fixture f;
  const auto person = f.identify(alice_with("auth_time", 1'799'999'000));
  REQUIRE(person);
  CHECK(person->issuer == f.world.issuer("person"));
  CHECK(person->subject == "subject-1");
  CHECK(person->name == "alice");
  CHECK(person->groups == Names{"ssh-users", "db-admins"});
  CHECK(person->groups_present);
  CHECK(person->authenticated_at == std::chrono::sys_seconds(std::chrono::seconds(1'799'999'000)));
  CHECK(json::parse(person->claims).at("preferred_username") == "alice");
  CHECK(f.world.server.requests("/person/userinfo").empty());
}

TEST_CASE("missing claims come from userinfo, and fill gaps only") {
  Fixture f;
  f.world.server.set("/person/userinfo", R"({"sub":"subject-1","groups":["g"],"x":1,
                                             "preferred_username":"mallory","iss":"evil"})");
  const auto person = f.identify(alice_without("groups"));
  REQUIRE(person);
  CHECK(person->name == "alice");
  CHECK(person->groups == Names{"g"});
  CHECK(json::parse(person->claims).at("iss") == f.world.issuer("person"));
  const auto requests = f.world.server.requests("/person/userinfo");
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].headers.at("authorization") == "Bearer the-access-token");
}

TEST_CASE("userinfo of another subject, or that cannot be had, is refused") {
  for (const char* body : {R"({"sub":"subject-2","groups":["g"]})", R"({"groups":["g"]})",
                           R"({"sub":1,"groups":["g"]})", "[]", "<html>", ""}) {
    Fixture f;
    f.world.server.set("/person/userinfo", body);
    INFO(body);
    CHECK_FALSE(f.identify(alice_without("groups")));
  }
  Fixture f;
  CHECK_FALSE(f.identify(alice_without("groups")));  // status 500
}

TEST_CASE("a person without any groups claim has none, and that is told") {
  Fixture f;
  f.world.server.set("/person/userinfo", R"({"sub":"subject-1"})");
  const auto person = f.identify(alice_without("groups"));
  REQUIRE(person);
  CHECK(person->groups.empty());
  CHECK_FALSE(person->groups_present);
}

TEST_CASE("groups may be one string or an empty array") {
  CHECK(Fixture().identify(alice_with("groups", "ssh users, all"))->groups ==
        Names{"ssh users, all"});
  const auto nobody = Fixture().identify(alice_with("groups", json::array()));
  CHECK(nobody->groups.empty());
  CHECK(nobody->groups_present);
}

TEST_CASE("groups that are no names are refused") {
  for (const json& groups : json{5,
                                 nullptr,
                                 json::object(),
                                 {"a", 1},
                                 {"a", nullptr},
                                 json::array({""}),
                                 json::array({"a\nb"}),
                                 json::array({std::string(257, 'g')})}) {
    INFO(groups.dump());
    CHECK_FALSE(Fixture().identify(alice_with("groups", groups)));
  }
  CHECK_FALSE(Fixture().identify(alice_with("groups", Names(2001, "g"))));
}

TEST_CASE("too many groups for Entra to list are an error that says so") {
  Fixture f;
  f.world.server.set("/person/userinfo", R"({"sub":"subject-1"})");
  json claims = alice_without("groups");
  claims["_claim_names"] = {{"groups", "src1"}};
  const auto person = f.identify(claims);
  REQUIRE_FALSE(person);
  CHECK(person.error().code == Errc::denied);
  CHECK(person.error().message.find("too many groups") != std::string::npos);
}

TEST_CASE("the groups claim is a path") {
  const struct {
    const char* path;
    json claims;
  } cases[] = {
      {"realm_access.roles", {{"realm_access", {{"roles", {"r"}}}}}},
      {"https://example.org/groups", {{"https://example.org/groups", {"r"}}}},
      {"resource_access.my.client.roles",
       {{"resource_access", {{"my.client", {{"roles", {"r"}}}}}}}},
      {"a.b", {{"a.b", "r"}, {"a", {{"b", "other"}}}}},
  };
  for (const auto& one : cases) {
    Fixture f;
    f.settings.groups_claim = one.path;
    json claims = one.claims;
    claims["preferred_username"] = "alice";
    const auto person = f.identify(claims);
    INFO(one.path);
    REQUIRE(person);
    CHECK(person->groups == Names{"r"});
  }
}

TEST_CASE("the name falls back to the subject") {
  Fixture f;
  f.world.server.set("/person/userinfo", R"({"sub":"subject-1"})");
  CHECK(f.identify(alice_without("preferred_username"))->name == "subject-1");
  CHECK(Fixture().identify(alice_with("preferred_username", 5))->name == "subject-1");
}

TEST_CASE("an unverified address is not a name") {
  Fixture f, g;
  f.settings.name_claim = "email";
  g.settings.name_claim = "email";
  json claims = alice_with("email", "root@example.org");
  CHECK(f.identify(claims)->name == "root@example.org");
  for (const json& said : json{false, "false", "true", 0, 1, nullptr}) {
    Fixture unverified;
    unverified.settings.name_claim = "email";
    claims["email_verified"] = said;
    INFO(said.dump());
    CHECK(unverified.identify(claims)->name == "subject-1");
  }
  claims["email_verified"] = true;
  CHECK(g.identify(claims)->name == "root@example.org");
}

TEST_CASE("a name is made printable") {
  CHECK(Fixture().identify(alice_with("preferred_username", "al\x1b[2Jice"))->name ==
        "al\\x1b[2Jice");
}

}  // namespace sallyport::test
