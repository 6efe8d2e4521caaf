// SPDX-License-Identifier: Apache-2.0
//
// A login as authd sees it: one bastion's memory, a clock that a test moves, and clients.
#pragma once

#include "bastion/authd/login.h"
#include "bastion/authd/oidc/claim_mapping.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

namespace sallyport::test {

using namespace std::chrono_literals;

inline const std::string kIssuer = "https://idp.example.com";

inline Config login_config() {
  Config config;
  config.identity.issuer = kIssuer;
  config.recipients = {"age1recipient"};
  config.targets["web1"] = {"127.0.0.1:22", {"ssh-ed25519 AAAA"}, "key1"};
  config.targets["db1"] = {"127.0.0.1:22", {}, "key1"};
  config.roles["web"] = {{"ssh-users"}, {"web*"}, {"root"}, "", {"shell", "exec"}};
  return config;
}

inline Person a_person(const std::string& subject = "alice") {
  Person person;
  person.issuer = kIssuer;
  person.mapping = claim_mapping(login_config().identity);
  person.subject = subject;
  person.name = subject + "@example.com";
  person.groups = {"ssh-users"};
  person.groups_present = true;
  return person;
}

// One bastion's memory, and a clock of the test's own.
struct World {
  World() {
    keys.emplace(*RememberedKeys::open(folder / "keys.sqlite", SecretBytes(32)));
    context.emplace(LoginContext{std::make_shared<const Config>(login_config()), *keys, pending});
  }
  void configure(void (*change)(Config&)) {
    Config config = *context->config;
    change(config);
    context->config = std::make_shared<const Config>(std::move(config));
  }
  // What a full disk does, to this kind of change alone.
  void refuse(const std::string& change) const {
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open((folder / "keys.sqlite").c_str(), &raw) == SQLITE_OK);
    const Handle<sqlite3, sqlite3_close_v2> database(raw);
    const std::string trigger = "CREATE TRIGGER refuse BEFORE " + change +
                                " ON remembered BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    REQUIRE(sqlite3_exec(raw, trigger.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  void pass(std::chrono::milliseconds time) {
    now.steady += time;
    now.wall += time;
  }
  // The flow as the provider starts it: 180 s, polled every 5 s.
  SignInStarted started() const {
    return {{"https://idp.example.com/device", "", "WDJB-MJHT",
             std::chrono::floor<std::chrono::seconds>(now.wall + 180s)},
            now.steady + 180s,
            now.steady + 5s};
  }
  SignInPending pending_poll() const { return {now.steady + 5s}; }

  TestFolder folder;
  std::optional<RememberedKeys> keys;
  PendingSignIns pending;
  std::optional<LoginContext> context;
  Now now = Now::read();
};

// One client's login.
struct Client {
  explicit Client(World& in, std::string typed = "root@web1",
                  const std::string& address = "203.0.113.7")
      : world(in), user(std::move(typed)), login(*in.context) {
    REQUIRE(login.arrive({session, address, Id(), ""}));
  }

  LoginSteps prove(const std::string& key) {
    auto steps = login.key_proven({user, "ssh-ed25519", key}, world.now);
    REQUIRE(steps);
    return *steps;
  }
  LoginSteps want_prompt() {
    auto steps = login.prompt_wanted({user}, world.now);
    REQUIRE(steps);
    return *steps;
  }
  LoginSteps press_enter() {
    auto steps = login.prompt_answered(world.now);
    REQUIRE(steps);
    return note_renewal(*steps);
  }
  LoginSteps hear(const SignInEvent& event) {
    return note_renewal(login.sign_in(event, world.now));
  }
  LoginSteps note_renewal(LoginSteps steps) {
    if (!steps.empty() && std::holds_alternative<Renewal>(steps[0])) {
      renewal = std::get<Renewal>(steps[0]);
      steps.erase(steps.begin());
    }
    return steps;
  }
  // As far as the prompt.
  void begin(const std::string& key) {
    prove(key);
    REQUIRE(std::holds_alternative<StartSignIn>(want_prompt().at(0)));
    hear(world.started());
  }

  World& world;
  std::string user;
  Id session = Id::random();
  LoginConversation login;
  std::optional<Renewal> renewal;  // of the person's other sessions
};

template <class Step>
const Step& only(const LoginSteps& steps) {
  REQUIRE(steps.size() == 1);
  REQUIRE(std::holds_alternative<Step>(steps[0]));
  return std::get<Step>(steps[0]);
}

// A login of alice with this key, from the first to the last message.
inline Admission log_in(World& world, const std::string& key) {
  Client client(world);
  client.begin(key);
  client.hear(SignInApproved{a_person()});
  return only<Admission>(client.press_enter());
}

}  // namespace sallyport::test
