// SPDX-License-Identifier: Apache-2.0
//
// Whose a key is, and for how long.
#include "bastion/authd/fingerprint.h"
#include "shared/base/log.h"
#include "tests/bastion/authd/login_world.h"

using namespace sallyport;
using namespace sallyport::test;

namespace {

// The identity provider's address changes, and who has this name there approves this key's sign-in.
LoginSteps move_and_sign_in(World& world, const std::string& key, const std::string& subject) {
  world.configure([](Config& config) { config.identity.issuer = "https://new.example.com"; });
  Person person = a_person(subject);
  person.issuer = "https://new.example.com";
  person.mapping = claim_mapping(world.context->config->identity);
  Client client(world);
  client.begin(key);
  client.hear(SignInApproved{person});
  return client.press_enter();
}

void close_enrolment(World& world) {
  world.configure([](Config& config) { config.login.enrolment = LoginConfig::Enrolment::closed; });
}

void register_for_alice(World& world, const std::string& key) {
  RememberedKey registered;
  registered.fingerprint = fingerprint_of(key);
  registered.registered_for = "alice@example.com";
  REQUIRE(world.keys->put(registered));
}

}  // namespace

TEST_CASE("second login with the same key asks nothing; another key from the same address asks") {
  World world;
  log_in(world, "key-a");
  CHECK(only<Admission>(Client(world).prove("key-a")).subject == "alice");
  CHECK(only<Verdict>(Client(world).prove("key-b")).login == Login::more);
}

TEST_CASE("after its time a remembered key asks again") {
  World world;
  log_in(world, "key-a");
  world.pass(8h - 1s);
  only<Admission>(Client(world).prove("key-a"));
  world.pass(2s);
  CHECK(only<Verdict>(Client(world).prove("key-a")).login == Login::more);
}

TEST_CASE("a shorter time in the configuration counts for keys that are remembered already") {
  World world;
  log_in(world, "key-a");
  world.pass(1h);
  world.configure([](Config& config) { config.login.remember = 3000s; });
  CHECK(only<Verdict>(Client(world).prove("key-a")).login == Login::more);
}

TEST_CASE("a key that was remembered at another identity provider opens nothing") {
  World world;
  log_in(world, "key-a");
  world.configure([](Config& config) { config.identity.issuer = "https://new.example.com"; });
  CHECK(only<Verdict>(Client(world).prove("key-a")).login == Login::more);
}

TEST_CASE("a key that was remembered when claims were read otherwise opens nothing") {
  for (auto* change : {+[](Config& config) { config.identity.client_id = "other"; },
                       +[](Config& config) { config.identity.groups_claim = "roles"; },
                       +[](Config& config) { config.identity.name_claim = "nickname"; }}) {
    World world;
    log_in(world, "key-a");
    Client waiting(world);
    waiting.begin("key-b");
    world.configure(change);
    CHECK(only<Verdict>(Client(world).prove("key-a")).login == Login::more);
    waiting.hear(SignInApproved{a_person()});
    CHECK(only<Verdict>(waiting.press_enter()).text.find("meanwhile") != std::string::npos);
    CHECK_FALSE(*world.keys->find(fingerprint_of("key-b")));
  }
}

TEST_CASE("a key that a clock from the future remembered asks again") {
  World world;
  world.pass(24h * 400);
  log_in(world, "key-a");
  world.pass(-24h * 400);
  CHECK(only<Verdict>(Client(world).prove("key-a")).login == Login::more);
  log_in(world, "key-b");
  world.pass(-50s);
  only<Admission>(Client(world).prove("key-b"));
}

TEST_CASE("newer groups reach the person's other keys and sessions, and nobody else's") {
  World world;
  log_in(world, "key-a");
  Client bobs(world);
  bobs.begin("key-x");
  bobs.hear(SignInApproved{a_person("bob")});
  only<Admission>(bobs.press_enter());

  Client client(world);
  client.begin("key-b");
  Person person = a_person();
  person.groups = {"interns"};
  client.hear(SignInApproved{person});
  CHECK(only<Admission>(client.press_enter()).right == Right{});
  REQUIRE(client.renewal);
  CHECK(client.renewal->subject == "alice");
  CHECK(client.renewal->groups == std::vector<std::string>{"interns"});
  CHECK(only<Admission>(Client(world).prove("key-a")).right == Right{});
  only<Admission>(Client(world).prove("key-x"));
}

TEST_CASE("newer groups end sessions though they cannot be written") {
  World world;
  log_in(world, "key-a");
  Client client(world);
  client.begin("key-b");
  world.refuse("INSERT");
  Person person = a_person();
  person.groups = {"interns"};
  client.hear(SignInApproved{person});
  CHECK(only<Verdict>(client.press_enter()).text.find("cannot remember") != std::string::npos);
  REQUIRE(client.renewal);
  CHECK(client.renewal->groups == std::vector<std::string>{"interns"});
}

TEST_CASE("where the issuer's address changed, an open bastion binds keys anew") {
  World world;
  log_in(world, "key-a");
  CHECK(only<Admission>(move_and_sign_in(world, "key-a", "alice-anew")).subject == "alice-anew");
}

TEST_CASE("a registered key does not change hands with the issuer's address") {
  World world;
  register_for_alice(world, "key-r");
  log_in(world, "key-r");
  CHECK(only<Verdict>(move_and_sign_in(world, "key-r", "bob")).text.find("revoke it") !=
        std::string::npos);
  CHECK((*world.keys->find(fingerprint_of("key-r")))->subject == "alice");
}

TEST_CASE("after revocation a key asks again, and may go to another person") {
  World world;
  log_in(world, "key-a");
  REQUIRE(*world.keys->remove(fingerprint_of("key-a")));
  Client client(world);
  client.begin("key-a");
  client.hear(SignInApproved{a_person("bob")});
  CHECK(only<Admission>(client.press_enter()).subject == "bob");
}

TEST_CASE("a wrong person approves: refused, and the key stays its owner's") {
  World world;
  log_in(world, "key-a");
  world.pass(9h);
  Client client(world);
  client.begin("key-a");
  client.hear(SignInApproved{a_person("bob")});
  const Verdict verdict = only<Verdict>(client.press_enter());
  CHECK(verdict.login == Login::disconnected);
  CHECK(verdict.text.find("bob@example.com approved") != std::string::npos);
  CHECK(verdict.text.find("alice") == std::string::npos);
  CHECK((*world.keys->find(fingerprint_of("key-a")))->subject == "alice");
}

TEST_CASE("the same unknown key twice lets the client try its next one") {
  World world;
  log_in(world, "key-b");
  Client client(world);
  CHECK(only<Verdict>(client.prove("key-a")).login == Login::more);
  CHECK(only<Verdict>(client.prove("key-a")).login == Login::try_another);
  only<Admission>(client.prove("key-b"));
}

TEST_CASE("of several proven keys the one that has an owner is used") {
  World world;
  log_in(world, "key-b");
  world.pass(9h);
  Client client(world);
  client.prove("key-a");
  client.begin("key-b");
  client.hear(SignInApproved{a_person()});
  CHECK(only<Admission>(client.press_enter()).fingerprint == fingerprint_of("key-b"));
}

TEST_CASE("with closed enrolment only a registered key may sign in") {
  World world;
  close_enrolment(world);
  register_for_alice(world, "key-r");

  Client client(world);
  CHECK(only<Verdict>(client.prove("key-a")).login == Login::try_another);
  const Verdict verdict = only<Verdict>(client.want_prompt());
  CHECK(verdict.login == Login::disconnected);
  CHECK(verdict.text.find(fingerprint_of("key-a") + " is not registered") != std::string::npos);

  log_in(world, "key-r");
  only<Admission>(Client(world).prove("key-r"));
}

TEST_CASE("a key that is revoked while its code waits is not bound again where closed") {
  World world;
  close_enrolment(world);
  register_for_alice(world, "key-r");
  Client client(world);
  client.begin("key-r");
  REQUIRE(*world.keys->remove(fingerprint_of("key-r")));
  client.hear(SignInApproved{a_person()});
  CHECK(only<Verdict>(client.press_enter()).login == Login::disconnected);
}

TEST_CASE("a revoked key ends the sign-in that waits with it, in every stage") {
  World world;
  const std::string key = fingerprint_of("key-a");
  Client open(world), prompted(world), waiting(world), other(world);
  open.prove("key-a");
  CHECK(open.login.key_revoked(key).empty());
  CHECK(only<Verdict>(open.want_prompt()).text.find("revoked") != std::string::npos);
  prompted.begin("key-a");
  CHECK(only<Verdict>(prompted.login.key_revoked(key)).login == Login::disconnected);
  CHECK(prompted.hear(SignInApproved{a_person()}).empty());
  waiting.begin("key-a");
  waiting.press_enter();
  CHECK(only<Verdict>(waiting.login.key_revoked(key)).login == Login::disconnected);
  other.begin("key-b");
  CHECK(other.login.key_revoked(key).empty());
  CHECK(world.keys->list()->keys.empty());
}

TEST_CASE("a revoked key whose row cannot be deleted opens nothing and is not bound again") {
  World world;
  log_in(world, "key-a");
  Client waiting(world);
  world.pass(9h);
  waiting.begin("key-a");
  world.pass(-9h);
  world.refuse("DELETE");
  CHECK_FALSE(world.keys->remove(fingerprint_of("key-a")));
  const Verdict verdict = only<Verdict>(Client(world).prove("key-a"));
  CHECK(verdict.login == Login::disconnected);
  CHECK(verdict.text.find("revoked") != std::string::npos);
  waiting.hear(SignInApproved{a_person()});
  CHECK(only<Verdict>(waiting.press_enter()).login == Login::disconnected);
}
