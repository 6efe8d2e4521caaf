// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/fingerprint.h"
#include "shared/base/log.h"
#include "tests/bastion/authd/login_world.h"

using namespace sallyport;
using namespace sallyport::test;

TEST_CASE("an unknown key asks for more, then the approved sign-in gives a right") {
  World world;
  const Admission admission = log_in(world, "key-a");
  CHECK(admission.person == "alice@example.com");
  CHECK(admission.subject == "alice");
  CHECK(admission.fingerprint == fingerprint_of("key-a"));
  CHECK(admission.right.target == "web1");
  CHECK(admission.right.login == "root");
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
  const Admission admission = only<Admission>(client.press_enter());
  CHECK(admission.right == Right{});
  CHECK(admission.refusal.starts_with("no role of yours reaches db1 (your groups: ssh-users)"));
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
  CHECK(only<Admission>(client.press_enter()).refusal.find("sent no groups") != std::string::npos);
}

TEST_CASE("user name changed between authentication requests: the connection ends") {
  World world;
  Client client(world);
  client.prove("key-a");
  client.user = "root@db1";
  CHECK(only<Verdict>(client.prove("key-b")).login == Login::disconnected);
}

TEST_CASE("a login before gate has said whose it is, is a broken monitor") {
  World world;
  LoginConversation login(*world.context);
  CHECK_FALSE(login.prompt_wanted({"root@web1"}, world.now));
  CHECK_FALSE(login.key_proven({"root@web1", "ssh-ed25519", "key-a"}, world.now));
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
  Client refused(world), elsewhere(world, "root@web1", "203.0.113.8"), later(world);
  refused.prove("key-b");
  CHECK(only<Verdict>(refused.want_prompt()).text.starts_with("32 sign-ins from your address"));
  only<Admission>(Client(world).prove("key-a"));
  elsewhere.begin("key-c");
  waiting[5].reset();
  later.begin("key-d");
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
  CHECK_FALSE(client.login.key_proven({client.user, "ssh-ed25519", "key-x"}, world.now));
}
