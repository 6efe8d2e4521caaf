// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/grants.h"

#include "bastion/authd/callers.h"
#include "bastion/authd/oidc/claim_mapping.h"
#include "tests/support/catch.h"

#include <unistd.h>

using namespace sallyport;

namespace {

constexpr uint64_t kNow = 1'800'000'000'000;
constexpr uint64_t kHour = 3'600'000;
constexpr uint32_t kShell = static_cast<uint32_t>(Allowed::shell);
constexpr uint32_t kExec = static_cast<uint32_t>(Allowed::exec);

Config a_config() {
  Config config;
  config.identity.issuer = "https://idp.example.com";
  config.targets["web1"] = {"127.0.0.1:2201", {"ssh-ed25519 AAAA"}, "key1"};
  config.roles["web"] = {{"ssh-users"}, {"web*"}, {"root"}, "", {"shell", "exec"}};
  return config;
}

Admission an_admission() {
  Admission admission;
  admission.session = Id::random();
  admission.issuer = "https://idp.example.com";
  admission.mapping = claim_mapping(a_config().identity);
  admission.person = "alice";
  admission.since_ms = kNow;
  admission.groups = {"ssh-users"};
  admission.right = {"web1", "root", kShell | kExec};
  return admission;
}

}  // namespace

TEST_CASE("a grant is confirmed once for dialling, once for signing, often for recording") {
  Grants grants;
  const Admission who = an_admission();
  const Id id = *grants.add(who, 1);
  const Config config = a_config();
  for (const Purpose purpose : {Purpose::dial, Purpose::sign}) {
    const GrantFacts facts = grants.confirm({purpose, id, who.session}, config, kNow);
    CHECK(facts.valid);
    CHECK(facts.target_address == "127.0.0.1:2201");
    CHECK(facts.key_name == "key1");
    CHECK_FALSE(grants.confirm({purpose, id, who.session}, config, kNow).valid);
  }
  CHECK(grants.confirm({Purpose::record, id, who.session}, config, kNow).valid);
  CHECK(grants.confirm({Purpose::record, id, who.session}, config, kNow).valid);
}

TEST_CASE("a grant is worth nothing in another session, or after its end") {
  Grants grants;
  const Admission who = an_admission();
  const Id id = *grants.add(who, 1);
  const GrantFacts stolen = grants.confirm({Purpose::dial, id, Id::random()}, a_config(), kNow);
  CHECK_FALSE(stolen.valid);
  CHECK(stolen.target_address.empty());
  CHECK_FALSE(grants.confirm({Purpose::dial, Id::random(), who.session}, a_config(), kNow).valid);
  CHECK(grants.end([](const Admission&) { return true; }) == std::vector<uint64_t>{1});
  CHECK_FALSE(grants.confirm({Purpose::record, id, who.session}, a_config(), kNow).valid);
}

TEST_CASE("a login that is over opens no new channel") {
  Grants grants;
  const Admission who = an_admission();
  const Id id = *grants.add(who, 1);
  Config config = a_config();
  const auto records = [&](uint64_t when) {
    return grants.confirm({Purpose::record, id, who.session}, config, when).valid;
  };
  CHECK(records(kNow + 8 * kHour - 1));
  CHECK_FALSE(records(kNow + 8 * kHour));
  CHECK_FALSE(records(kNow - kHour));
  config.login.remember = std::chrono::hours(1);
  CHECK(records(kNow + kHour - 1));
  CHECK(grants.confirm({Purpose::record, id, who.session}, config, kNow + kHour).text ==
        "this login is over; connect again");
  config.login.remember = std::chrono::seconds(0);
  CHECK(records(kNow + 8 * kHour - 1));
  CHECK_FALSE(records(kNow + 8 * kHour));
}

TEST_CASE("a session has one grant") {
  Grants grants;
  const Admission who = an_admission();
  REQUIRE(grants.add(who, 1));
  CHECK_FALSE(grants.add(who, 2));
}

TEST_CASE("a right stands while the configuration gives at least as much") {
  Config config = a_config();
  const Admission who = an_admission();
  CHECK(still_stands(who, config));
  config.roles["web"].logins.push_back("deploy");
  CHECK(still_stands(who, config));
  config.roles["web"].channels = {"shell"};
  CHECK_FALSE(still_stands(who, config));
  config = a_config();
  config.targets.clear();
  CHECK_FALSE(still_stands(who, config));
  config = a_config();
  config.roles.clear();
  CHECK_FALSE(still_stands(who, config));
  config = a_config();
  config.identity.groups_claim = "roles";
  CHECK_FALSE(still_stands(who, config));
}

TEST_CASE("newer groups count for the running sessions of that person") {
  Grants grants;
  Admission alice = an_admission(), bob = an_admission();
  alice.subject = "alice";
  bob.subject = "bob";
  REQUIRE(grants.add(alice, 1));
  REQUIRE(grants.add(bob, 2));
  grants.renew({alice.issuer, "alice", {"interns"}, alice.mapping});
  const Config config = a_config();
  CHECK(grants.end([&](const Admission& who) { return !still_stands(who, config); }) ==
        std::vector<uint64_t>{1});
}

TEST_CASE("in single-user mode that user may ask everything, and nobody else may log in") {
  const Callers callers = Callers::of_this_process();
  const uid_t me = ::geteuid();
  const uid_t other = me + 12345;
  CHECK(callers.may_ask(me, MessageType::ask_key_login));
  CHECK(callers.may_ask(me, MessageType::confirm_grant));
  CHECK(callers.may_ask(me, MessageType::key_revoke));
  CHECK(callers.may_ask(0, MessageType::key_revoke));
  CHECK_FALSE(callers.may_ask(other, MessageType::ask_key_login));
  CHECK_FALSE(callers.may_ask(other, MessageType::confirm_grant));
  CHECK_FALSE(callers.may_ask(other, MessageType::key_revoke));
  CHECK_FALSE(callers.may_confirm(other, Purpose::sign));
  CHECK(callers.knows(me));
  CHECK_FALSE(callers.knows(other));
}
