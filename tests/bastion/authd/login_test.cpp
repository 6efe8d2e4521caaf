// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/login.h"

#include "bastion/authd/fingerprint.h"
#include "bastion/authd/oidc/claim_mapping.h"
#include "shared/base/log.h"
#include "tests/support/catch.h"

#include <filesystem>

using namespace sallyport;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string kIssuer = "https://idp.example.com";

Config login_config() {
  Config config;
  config.identity.issuer = kIssuer;
  config.recipients = {"age1recipient"};
  config.targets["web1"] = {"127.0.0.1:22", {"ssh-ed25519 AAAA"}, "key1"};
  config.targets["db1"] = {"127.0.0.1:22", {}, "key1"};
  config.roles["web"] = {{"ssh-users"}, {"web*"}, {"root"}, "", {"shell", "exec"}};
  return config;
}

Person a_person(const std::string& subject = "alice") {
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
  World() : folder(fs::temp_directory_path() / ("login-" + Id::random().hex())) {
    fs::create_directory(folder);
    keys.emplace(*RememberedKeys::open(folder / "keys.sqlite", SecretBytes(32)));
    context.emplace(LoginContext{std::make_shared<const Config>(login_config()), *keys, pending});
  }
  ~World() { fs::remove_all(folder); }
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

  fs::path folder;
  std::optional<RememberedKeys> keys;
  PendingSignIns pending;
  std::optional<LoginContext> context;
  Now now = Now::read();
};

// One client's login.
struct Client {
  explicit Client(World& in, std::string typed = "root@web1")
      : world(in), user(std::move(typed)), login(*in.context) {}

  LoginSteps prove(const std::string& key) {
    auto steps = login.key_proven({session, address, user, "ssh-ed25519", key}, world.now);
    REQUIRE(steps);
    return *steps;
  }
  LoginSteps want_prompt() {
    auto steps = login.prompt_wanted({session, address, user}, world.now);
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
  std::string address = "203.0.113.7";
  std::string user;
  LoginConversation login;
  Id session = Id::random();
  std::optional<Renewal> renewal;  // of the person's other sessions
};

template <class Step>
const Step& only(const LoginSteps& steps) {
  REQUIRE(steps.size() == 1);
  REQUIRE(std::holds_alternative<Step>(steps[0]));
  return std::get<Step>(steps[0]);
}

// A login of alice with this key, from the first to the last message.
Admission log_in(World& world, const std::string& key) {
  Client client(world);
  client.begin(key);
  client.hear(SignInApproved{a_person()});
  return only<Admission>(client.press_enter());
}

}  // namespace

TEST_CASE("an unknown key asks for more, then the approved sign-in gives a right") {
  World world;
  const Admission admission = log_in(world, "key-a");
  CHECK(admission.person == "alice@example.com");
  CHECK(admission.subject == "alice");
  CHECK(admission.fingerprint == fingerprint_of("key-a"));
  CHECK(admission.right.target == "web1");
  CHECK(admission.right.login == "root");
}

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
  CHECK(only<Verdict>(client.press_enter()).login == Login::refused);
  REQUIRE(client.renewal);
  CHECK(client.renewal->subject == "alice");
  CHECK(client.renewal->groups == std::vector<std::string>{"interns"});
  CHECK(only<Verdict>(Client(world).prove("key-a")).login == Login::refused);
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
  world.configure([](Config& config) { config.identity.issuer = "https://new.example.com"; });
  Person person = a_person("alice-anew");
  person.issuer = "https://new.example.com";
  person.mapping = claim_mapping(world.context->config->identity);
  Client client(world);
  client.begin("key-a");
  client.hear(SignInApproved{person});
  CHECK(only<Admission>(client.press_enter()).subject == "alice-anew");
}

TEST_CASE("a registered key does not change hands with the issuer's address") {
  World world;
  RememberedKey registered;
  registered.fingerprint = fingerprint_of("key-r");
  registered.registered_for = "alice@example.com";
  REQUIRE(world.keys->put(registered));
  log_in(world, "key-r");
  world.configure([](Config& config) { config.identity.issuer = "https://new.example.com"; });
  Person person = a_person("bob");
  person.issuer = "https://new.example.com";
  person.mapping = claim_mapping(world.context->config->identity);
  Client client(world);
  client.begin("key-r");
  client.hear(SignInApproved{person});
  CHECK(only<Verdict>(client.press_enter()).text.find("revoke it") != std::string::npos);
  CHECK((*world.keys->find(registered.fingerprint))->subject == "alice");
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

TEST_CASE("the prompt says who asks, what to do and until when") {
  World world;
  Client client(world);
  client.prove("key-a");
  client.want_prompt();
  const Prompt prompt = only<Prompt>(client.hear(world.started()));
  CHECK_FALSE(prompt.automatic);
  CHECK(
      prompt.text.starts_with("Sign in to reach root@web1\n\n"
                              "  Open    https://idp.example.com/device\n"
                              "  Code    WDJB-MJHT                       valid until "));
  CHECK(prompt.text.find(" (3 min)\n\n  From 203.0.113.7 with key SHA256:") != std::string::npos);
  CHECK(
      prompt.text.ends_with(".  Never approve a code that you did not start yourself.\n\n"
                            "Press Enter when you have approved it: "));
}

TEST_CASE("Enter before the approval asks again with the time left") {
  World world;
  Client client(world);
  client.begin("key-a");
  world.pass(1s);
  CHECK(only<Prompt>(client.press_enter()).text ==
        "Not approved yet, 2 min 59 s left. Press Enter when you have approved it: ");
}

TEST_CASE("Enter waits for a poll that is due, and its answer decides") {
  World world;
  Client approving(world);
  approving.begin("key-a");
  world.pass(3s);
  only<WakeUp>(approving.press_enter());
  only<Admission>(approving.hear(SignInApproved{a_person()}));

  Client waiting(world);
  waiting.begin("key-b");
  world.pass(3s);
  only<WakeUp>(waiting.press_enter());
  only<Prompt>(waiting.hear(world.pending_poll()));
  CHECK(waiting.login.woken(world.now).empty());
}

TEST_CASE("Enter waits 3 s at most for a provider that does not answer") {
  World world;
  Client client(world);
  client.begin("key-a");
  world.pass(4s);
  CHECK(only<WakeUp>(client.press_enter()).when == world.now.steady + 3s);
  world.pass(3s);
  only<Prompt>(client.login.woken(world.now));
}

TEST_CASE("an approval is worth nothing when Enter comes long after the deadline") {
  World world;
  Client late(world), in_time(world);
  late.begin("key-a");
  in_time.begin("key-b");
  late.hear(SignInApproved{a_person()});
  in_time.hear(SignInApproved{a_person()});
  world.pass(200s);
  only<Admission>(in_time.press_enter());
  world.pass(20s);
  CHECK(only<Verdict>(late.press_enter()).text.find("ran out") != std::string::npos);
  CHECK_FALSE(*world.keys->find(fingerprint_of("key-a")));
}

TEST_CASE("pending polls say nothing while the prompt stands") {
  World world;
  Client client(world);
  client.begin("key-a");
  world.pass(5s);
  CHECK(client.hear(world.pending_poll()).empty());
}

TEST_CASE("a sign-in that fails ends the connection at once, with one line") {
  const std::vector<std::pair<SignInEvent, std::string>> endings = {
      {SignInDenied{}, "denied"},
      {SignInExpired{}, "ran out"},
      {SignInFailed{{Errc::io, "http://x: refused"}}, "does not answer"},
      {SignInFailed{{Errc::protocol, "nonsense\nline"}}, "nonsense"}};
  for (const auto& [event, words] : endings) {
    World world;
    Client client(world);
    client.begin("key-a");
    const Verdict verdict = only<Verdict>(client.hear(event));
    CHECK(verdict.login == Login::disconnected);
    CHECK(verdict.text.find(words) != std::string::npos);
    CHECK(verdict.text.find('\n') == std::string::npos);
    CHECK_FALSE(client.login.prompt_answered(world.now));
    CHECK(client.hear(SignInApproved{a_person()}).empty());
  }
}

TEST_CASE("automatic prompts need no Enter") {
  World world;
  world.configure([](Config& config) { config.login.prompt = LoginConfig::Prompt::automatic; });
  Client client(world);
  client.prove("key-a");
  client.want_prompt();
  const Prompt prompt = only<Prompt>(client.hear(world.started()));
  CHECK(prompt.automatic);
  CHECK(std::all_of(prompt.text.begin(), prompt.text.end(), [](char c) { return c > 0; }));
  CHECK(client.press_enter().empty());
  CHECK(client.hear(world.pending_poll()).empty());
  only<Admission>(client.hear(SignInApproved{a_person()}));
}

TEST_CASE("who is known but has no role is let in to be told so") {
  World world;
  Client client(world, "root@db1");
  client.begin("key-a");
  client.hear(SignInApproved{a_person()});
  const Verdict verdict = only<Verdict>(client.press_enter());
  CHECK(verdict.login == Login::refused);
  CHECK(verdict.text.starts_with("no role of yours reaches db1 (your groups: ssh-users)"));
}

TEST_CASE("before the person is known nothing about targets is said") {
  World world;
  for (const char* typed : {"root@web1", "root@db1", "root@nowhere"}) {
    Client client(world, typed);
    const Verdict verdict = only<Verdict>(client.prove("key-a"));
    CHECK(verdict.login == Login::more);
    CHECK(verdict.text.empty());
  }
}

TEST_CASE("a provider that sends no groups is named in the refusal") {
  World world;
  Client client(world);
  client.begin("key-a");
  Person person = a_person();
  person.groups = {};
  person.groups_present = false;
  client.hear(SignInApproved{person});
  CHECK(only<Verdict>(client.press_enter()).text.find("sent no groups") != std::string::npos);
}

TEST_CASE("user name changed between authentication requests: the connection ends") {
  World world;
  Client client(world);
  client.prove("key-a");
  client.user = "root@db1";
  CHECK(only<Verdict>(client.prove("key-b")).login == Login::disconnected);
}

TEST_CASE("another session or address on the same connection is a broken monitor") {
  World world;
  Client client(world);
  client.prove("key-a");
  client.session = Id::random();
  CHECK_FALSE(client.login.prompt_wanted({client.session, "203.0.113.7", "root@web1"}, world.now));
}

TEST_CASE("a name that can be no target is refused at the door") {
  World world;
  CHECK(only<Verdict>(Client(world, "root@web1,web2").prove("key-a")).login == Login::disconnected);
}

TEST_CASE("a client without a key needs the configuration's leave") {
  World world;
  const Verdict verdict = only<Verdict>(Client(world).want_prompt());
  CHECK(verdict.login == Login::disconnected);
  CHECK(verdict.text.find("SSH key") != std::string::npos);

  world.configure([](Config& config) { config.login.without_key = true; });
  Client client(world);
  only<StartSignIn>(client.want_prompt());
  CHECK(only<Prompt>(client.hear(world.started())).text.find("without a key") != std::string::npos);
  client.hear(SignInApproved{a_person()});
  CHECK(only<Admission>(client.press_enter()).fingerprint.empty());
  CHECK(world.keys->list()->keys.empty());
}

TEST_CASE("an answer without a prompt is a broken monitor") {
  World world;
  Client client(world);
  client.prove("key-a");
  CHECK_FALSE(client.login.prompt_answered(world.now));
}

TEST_CASE("one pending sign-in per key, and per person whose keys are known") {
  World world;
  log_in(world, "key-a");
  log_in(world, "key-b");
  world.pass(9h);
  auto first = std::make_unique<Client>(world);
  first->begin("key-a");
  for (const char* key : {"key-a", "key-b"}) {
    Client second(world);
    second.prove(key);
    CHECK(only<Verdict>(second.want_prompt()).login == Login::disconnected);
  }
  Client other(world);
  other.begin("key-c");

  first.reset();  // the client leaves
  Client again(world);
  again.begin("key-b");
}

TEST_CASE("32 pending sign-ins per address, and no bound for keys that are remembered") {
  World world;
  log_in(world, "key-a");
  std::vector<std::unique_ptr<Client>> waiting;
  for (int i = 0; i < 32; ++i) {
    waiting.push_back(std::make_unique<Client>(world));
    waiting.back()->begin("throw-away-" + std::to_string(i));
  }
  Client refused(world), elsewhere(world), later(world);
  refused.prove("key-b");
  CHECK(only<Verdict>(refused.want_prompt()).text.starts_with("32 sign-ins from your address"));
  only<Admission>(Client(world).prove("key-a"));
  elsewhere.address = "203.0.113.8";
  elsewhere.begin("key-c");
  waiting[5].reset();
  later.begin("key-d");
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
  world.configure([](Config& config) { config.login.enrolment = LoginConfig::Enrolment::closed; });
  RememberedKey registered;
  registered.fingerprint = fingerprint_of("key-r");
  registered.registered_for = "alice@example.com";
  REQUIRE(world.keys->put(registered));

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
  world.configure([](Config& config) { config.login.enrolment = LoginConfig::Enrolment::closed; });
  RememberedKey registered;
  registered.fingerprint = fingerprint_of("key-r");
  registered.registered_for = "alice@example.com";
  REQUIRE(world.keys->put(registered));
  Client client(world);
  client.begin("key-r");
  REQUIRE(*world.keys->remove(registered.fingerprint));
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

TEST_CASE("2,000 keys are too many") {
  World world;
  Client client(world);
  LoginSteps steps;
  int proven = 0;
  do {
    steps = client.prove("key-" + std::to_string(proven++));
  } while (std::get<Verdict>(steps.at(0)).login != Login::disconnected && proven < 2000);
  CHECK(proven == 21);
  CHECK_FALSE(client.login.key_proven(
      {client.session, "203.0.113.7", client.user, "ssh-ed25519", "key-x"}, world.now));
}
