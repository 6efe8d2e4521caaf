// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/policy.h"

#include "bastion/authd/typed_name.h"
#include "shared/ipc/messages.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

constexpr uint32_t kShellOnly = static_cast<uint32_t>(Allowed::shell);
constexpr uint32_t kExecOnly = static_cast<uint32_t>(Allowed::exec);

Config config_of_roles() {
  Config config;
  config.targets["web1"] = {"127.0.0.1:22", {}, "key"};
  config.targets["web2"] = {"127.0.0.1:22", {}, "key"};
  config.targets["db1"] = {"127.0.0.1:22", {}, "key"};
  config.roles["web"] = {{"ssh-users"}, {"web*"}, {"deploy", "www"}, "", {"shell"}};
  config.roles["web-exec"] = {{"ssh-users"}, {"web1"}, {"deploy"}, "", {"exec"}};
  config.roles["db"] = {{"db-admins"}, {"db?"}, {"*"}, "", {"shell", "exec"}};
  return config;
}

TypedName wish(std::string_view typed) {
  return *parse_typed_name(typed);
}

std::string refusal(const std::vector<std::string>& groups, std::string_view typed) {
  const auto right = decide(config_of_roles(), groups, wish(typed));
  REQUIRE_FALSE(right);
  CHECK(right.error().code == Errc::denied);
  return right.error().message;
}

}  // namespace

TEST_CASE("keystrokes are recorded where one of the roles wants that") {
  Config config = config_of_roles();
  CHECK_FALSE(decide(config, {"ssh-users"}, wish("deploy@web1"))->record_keystrokes);
  config.roles["web-exec"].record_keystrokes = true;
  CHECK(decide(config, {"ssh-users"}, wish("deploy@web1"))->record_keystrokes);
  CHECK_FALSE(decide(config, {"ssh-users"}, wish("deploy@web2"))->record_keystrokes);
}

TEST_CASE("a right names the roles that give it, which retention goes by") {
  const auto roles = [](const std::string& typed) {
    return decide(config_of_roles(), {"ssh-users", "db-admins"}, wish(typed))->roles;
  };
  CHECK(roles("deploy@web1") == std::vector<std::string>{"web", "web-exec"});
  CHECK(roles("www@web1") == std::vector<std::string>{"web"});
  CHECK(roles("root@db1") == std::vector<std::string>{"db"});
}

TEST_CASE("a typed name is a login and a target, or a target") {
  for (const char* typed : {"root@web1", "root%web1", "root+web1"}) {
    CHECK(wish(typed).login == "root");
    CHECK(wish(typed).target == "web1");
  }
  CHECK(wish("web1").login == "");
  CHECK(wish("web1").target == "web1");
  CHECK(wish("root%web1").text() == "root@web1");
}

TEST_CASE("names with anything else in them are refused at the door") {
  const std::string long_name(65, 'a');
  const std::string huge(200'000, 'a');
  for (const std::string& typed :
       {std::string(""), std::string("@web1"), std::string("root@"), std::string("root@@web1"),
        std::string("a@b@c"), std::string("root,admin@web1"), std::string("root@web1\n"),
        std::string("../x"), std::string("root@../../x"), std::string("-oProxy@web1"),
        std::string("root web1"), std::string("root\0@web1", 10), std::string("röt@web1"),
        long_name, huge}) {
    const auto name = parse_typed_name(typed);
    REQUIRE_FALSE(name);
    CHECK(name.error().message.size() < 400);
    CHECK(name.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("the channels of all roles that reach a target with a login add up") {
  CHECK(decide(config_of_roles(), {"ssh-users"}, wish("deploy@web1"))->allowed ==
        (kShellOnly | kExecOnly));
  CHECK(decide(config_of_roles(), {"ssh-users"}, wish("www@web1"))->allowed == kShellOnly);
  CHECK(decide(config_of_roles(), {"ssh-users"}, wish("deploy@web2"))->allowed == kShellOnly);
}

TEST_CASE("without a login the role's default is taken, else its first") {
  Config config = config_of_roles();
  CHECK(decide(config, {"ssh-users"}, wish("web1"))->login == "deploy");
  config.roles["web"].default_login = "www";
  CHECK(decide(config, {"ssh-users"}, wish("web2"))->login == "www");
}

TEST_CASE("a star allows any login but is no default") {
  CHECK(decide(config_of_roles(), {"db-admins"}, wish("postgres@db1"))->login == "postgres");
  CHECK(refusal({"db-admins"}, "db1") ==
        "no role of yours has a default login on db1: type LOGIN@db1");
}

TEST_CASE("a role for everybody needs no group") {
  Config config = config_of_roles();
  config.roles["all"] = {{"*"}, {"web2"}, {"guest"}, "", {"exec"}};
  CHECK(decide(config, {}, wish("web2"))->login == "guest");
}

TEST_CASE("an unknown target and one out of reach give the same answer") {
  const std::string out_of_reach = refusal({"ssh-users"}, "root@db1");
  CHECK(out_of_reach.starts_with("no role of yours reaches db1 (your groups: ssh-users)"));
  std::string unknown = refusal({"ssh-users"}, "root@db7");
  unknown.replace(unknown.find("db7"), 3, "db1");
  CHECK(unknown == out_of_reach);
  // A role's glob that would match does not give it away either.
  CHECK(refusal({"ssh-users"}, "web9").starts_with("no role of yours reaches web9 (your groups:"));
}

TEST_CASE("a refused login names those that are allowed") {
  CHECK(
      refusal({"ssh-users"}, "root@web1")
          .starts_with("no role of yours allows login root on web1 (allowed there: deploy, www)"));
}

TEST_CASE("a refusal stays one printable line whatever the groups are called") {
  std::vector<std::string> groups(300, std::string("evil\x1b[2J\n") + std::string(500, 'x'));
  const std::string text = refusal(groups, "web1");
  CHECK(text.size() < 1500);
  CHECK(text.find_first_of("\x1b\n") == std::string::npos);
  CHECK(refusal({}, "web1").find("you are in no group") != std::string::npos);
}
