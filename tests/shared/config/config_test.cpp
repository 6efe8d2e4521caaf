// SPDX-License-Identifier: Apache-2.0
#include "shared/config/config.h"

#include "shared/config/check.h"
#include "shared/crypto/age_keys.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <algorithm>
#include <cctype>

using namespace sallyport;

namespace {

const std::string kRecipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const std::string kHostKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL";

// A configuration in which nothing is wrong, and `more` of it.
std::string config_with(const std::string& more) {
  return R"({"host_keys": ["k"], "recording": {"recipients": [")" + kRecipient +
         R"("]}, "identity": {"issuer": "https://i.example", "client_id": "c"})" +
         (more.empty() ? "" : ",\n" + more) + "}";
}

ConfigReport check(const std::string& text) {
  return check_config_text("/etc/x/f.json", text);
}

// The only error of a configuration with `more` in line 2.
std::string error_of(const std::string& more) {
  const auto report = check(config_with(more));
  REQUIRE(report.errors.size() == 1);
  CHECK_FALSE(report.config);
  const std::string line = report.errors[0].line();
  REQUIRE(line.starts_with("/etc/x/f.json:2: "));
  return line.substr(std::string("/etc/x/f.json:2: ").size());
}

std::string role_with(const std::string& more) {
  return R"("roles": {"r": {"groups": ["g"], "targets": ["t"], "logins": ["root", "bob"])" + more +
         "}}";
}

bool starts(const std::string& text, const std::string& head) {
  INFO(text);
  CHECK(text.starts_with(head));
  return text.starts_with(head);
}

}  // namespace

TEST_CASE("a small configuration loads with its defaults", "[config]") {
  const auto report = check(config_with(""));
  INFO(report.text());
  REQUIRE(report.config);
  CHECK(report.config->host_key_files == std::vector<std::string>{"/etc/x/k"});
  CHECK(report.config->listen == std::vector<std::string>{"0.0.0.0:2222", "[::]:2222"});
  CHECK(report.config->login.remember == std::chrono::hours(8));
  CHECK(report.config->recipients == std::vector<std::string>{kRecipient});
  CHECK_FALSE(report.config->node.empty());
  CHECK(report.config->socket_path("authd") == "/run/sallyport/authd/socket");
}

TEST_CASE("the example in config/ loads without a warning", "[config]") {
  const auto report = check_config(std::string(SALLYPORT_CONFIG_DIR) + "/sallyport.example.json");
  INFO(report.text());
  REQUIRE(report.config);
  CHECK(report.warnings.empty());
  CHECK(report.config->roles.at("readers").default_login == "guest");
  CHECK(report.config->targets.at("web1").address == "10.0.0.5:22");
}

TEST_CASE("all findings come at once, each with its line", "[config]") {
  const auto report =
      check("{\n\"lisen\": [],\n\"node\": 5,\n\"login\": {\n  \"prompt\": \"entr\"}}");
  std::vector<std::string> lines;
  for (const auto& error : report.errors) {
    lines.push_back(error.line());
  }
  REQUIRE(lines.size() == 7);  // host_keys, issuer, client_id and recipients are missing
  CHECK(lines[4] == "/etc/x/f.json:2: lisen: is not known; did you mean \"listen\"?");
  CHECK(lines[5] == "/etc/x/f.json:3: node: must be a text, not a number");
  CHECK(lines[6] ==
        "/etc/x/f.json:5: login.prompt: \"entr\" is none of \"enter\", \"auto\"; did you mean "
        "\"enter\"?");
}

TEST_CASE("without a recipient nothing is recorded, so nothing loads", "[config]") {
  const std::string base =
      R"({"host_keys": ["k"], "identity": {"issuer": "https://i", "client_id": "c"})";
  for (const auto& text : {base + "}", base + R"(, "recording": {}})",
                           base + R"(, "recording": {"recipients": []}})"}) {
    const auto report = check(text);
    REQUIRE(report.errors.size() == 1);
    CHECK(report.errors[0].key == "recording.recipients");
    CHECK(report.errors[0].text.find("sallyport-play keygen") != std::string::npos);
  }
}

TEST_CASE("a recipient with a typing error is refused", "[config]") {
  std::string wrong = kRecipient;
  wrong.back() = wrong.back() == 'q' ? 'p' : 'q';
  const auto report = check(R"({"host_keys": ["k"], "identity": {"issuer": "https://i",
    "client_id": "c"}, "recording": {"recipients": [")" +
                            wrong + R"("]}})");
  REQUIRE(report.errors.size() == 1);
  CHECK(report.errors[0].key == "recording.recipients[0]");
}

TEST_CASE("wrong types and values are refused, each in words", "[config]") {
  CHECK(error_of(R"("listen": "0.0.0.0:1")") == "listen: must be a list, not a text");
  CHECK(error_of(R"("development": 1)") == "development: must be true or false, not a number");
  CHECK(error_of(R"("limits": [])") == "limits: must be an object, not a list");
  CHECK(error_of(R"("limits": {"max_sessions": 0})") ==
        "limits.max_sessions: must be a whole number from 1 to 100000");
  for (const char* number : {"1.5", "-3", "4294967297", "18446744073709551617"}) {
    CHECK(error_of(R"("limits": {"max_sessions": )" + std::string(number) + "}") ==
          "limits.max_sessions: must be a whole number from 1 to 100000");
  }
  starts(error_of(R"("node": "a b")"), "node: \"a b\" is not a valid node name");
  starts(error_of(R"("listen": ["bastion:22"])"), "listen[0]: \"bastion:22\" is not a numeric");
  starts(error_of(R"("ciphers": ["3des-cbc"])"), "ciphers[0]: \"3des-cbc\" is none of");
  starts(error_of(R"("environment": ["LD PRELOAD"])"), "environment[0]: ");
  starts(error_of(R"("state_directory": "")"), "state_directory: \"\" is empty");
  starts(error_of(R"("state_directory": "a\u0000b")"), "state_directory: contains a NUL");
  starts(error_of(R"("targets": {"../x": {"address": "h"}})"), "targets: \"../x\" is not a valid");
  starts(error_of(R"("targets": {"t": {}})"), "targets.t.address: is missing");
  starts(error_of(R"("targets": {"t": {"address": "h", "host_keys": ["ssh-dss AAAA"]}})"),
         "targets.t.host_keys[0]: ");
  starts(error_of(R"("host_cas": {"c": {"patterns": ["a,b"], "key": ")" + kHostKey + "\"}}"),
         "host_cas.c.patterns[0]: \"a,b\" is not a pattern for host names");
  starts(error_of(R"("host_cas": {"c": {"patterns": [], "key": ")" + kHostKey + "\"}}"),
         "host_cas.c.patterns: is empty; the hosts that it signs for");
  starts(error_of(R"("host_cas": {"c": {"patterns": ["*"]}})"), "host_cas.c.key: is missing");
  starts(error_of(R"("revoked_host_keys": ["ssh-ed25519 AAAA"])"), "revoked_host_keys[0]: ");
  starts(error_of(role_with(R"(, "channels": ["ftp"])")), "roles.r.channels[0]: \"ftp\" is none");
  starts(error_of(role_with(R"(, "default_login": "rot")")),
         "roles.r.default_login: \"rot\" is not among the role's logins; did you mean \"root\"?");
}

TEST_CASE("an unknown key is refused with the nearest right one", "[config]") {
  CHECK(error_of(R"("issuer": "x")") == "issuer: is not known; did you mean \"identity.issuer\"?");
  CHECK(error_of(R"("login": {"remember": 5})") ==
        "login.remember: is not known; did you mean \"remember_s\"?");
  CHECK(error_of(role_with(R"(, "Login": [])")) ==
        "roles.r.Login: is not known; did you mean \"logins\"?");
  CHECK(error_of(R"("vault": {"zzz": 1})") == "vault.zzz: is not known; known here: key_file");
}

TEST_CASE("a dotted name is no second spelling of a key", "[config]") {
  CHECK(error_of(R"("login.enrolment": "closed")") ==
        "login.enrolment: is not known; write \"login\": {\"enrolment\": ...}");
  CHECK(error_of(R"("identity.issuer": "https://evil.example")")
            .starts_with("identity.issuer: is not known; write"));
}

TEST_CASE("a target whose name holds dots stands for no key of another target", "[config]") {
  CHECK(error_of(R"("targets": {"db.address": {"address": "h"}, "db": {"key": "k"}})")
            .starts_with("targets.db.address: is missing"));
  const auto report = check(config_with(
      R"("targets": {"db.key": {"address": "h", "host_keys": [], "key": "k"},
                     "db": {"address": "h", "host_keys": []}})"));
  REQUIRE(report.config);
  CHECK(std::any_of(report.warnings.begin(), report.warnings.end(), [](const auto& warning) {
    return warning.key == "targets.db" && warning.text.starts_with("has no key");
  }));
}

TEST_CASE("a private key in a public one's place is not repeated", "[config]") {
  const std::string secret = "AGE-SECRET-KEY-1QQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSNZS23V9CCRYDPK8QARC0S";
  std::string lower = secret;
  std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
  const std::string base =
      R"({"host_keys": ["k"], "identity": {"issuer": "https://i", "client_id": "c"}, )";
  for (const std::string& text :
       {base + R"("recording": {"recipients": [")" + secret + "\"]}}",
        base + R"("recording": {"recipients": [")" + lower + "\"]}}",
        base + R"("recording": {"recipients": [")" + secret + "\n\"]}}",  // not even JSON
        config_with(R"("node": ")" + secret + "\""),
        config_with(R"("targets": {"t": {"address": "h", "host_keys": ["-----BEGIN )"
                    R"(OPENSSH PRIVATE KEY-----\nQQQSYQCYQ5"]}})")}) {
    const auto report = check(text);
    INFO(report.text());
    REQUIRE(report.errors.size() == 1);
    CHECK(report.text().find("QQQSYQCYQ5") == std::string::npos);
    CHECK(report.text().find("qqqsyqcyq5") == std::string::npos);
    CHECK((report.text().find("secret half") != std::string::npos || text.find('\n') != text.npos));
  }
}

TEST_CASE("more recipients than a recording's header takes are refused", "[config]") {
  const auto with = [](size_t count) {
    std::string list = "\"" + kRecipient + "\"";
    for (size_t i = 1; i < count; ++i) {
      list += ", \"" + age_generate_identity().recipient().text() + "\"";
    }
    return check(R"({"host_keys": ["k"], "identity": {"issuer": "https://i", "client_id": "c"},
      "recording": {"recipients": [)" +
                 list + "]}}");
  };
  CHECK(with(64).config);
  const auto report = with(65);
  REQUIRE(report.errors.size() == 1);
  CHECK(report.errors[0].key == "recording.recipients");
}

TEST_CASE("a recipient that stands twice is one, and is named", "[config]") {
  const std::string others[] = {age_generate_identity().recipient().text(),
                                age_generate_identity().recipient().text()};
  const auto with = [&](int readers, int second, int typed) {
    const auto list = [](const std::string& one, int count) {
      return "[\"" + one + (count == 2 ? "\", \"" + one : "") + "\"]";
    };
    return check(R"({"host_keys": ["k"], "identity": {"issuer": "https://i", "client_id": "c"},
      "recording": {"recipients": )" +
                 list(kRecipient, readers) + ", \"second_recipients\": " + list(others[0], second) +
                 ", \"keystrokes\": {\"recipients\": " + list(others[1], typed) + "}}}");
  };
  CHECK(with(1, 1, 1).config);
  const auto all = with(2, 2, 2);
  REQUIRE(all.errors.size() == 3);
  CHECK(all.errors[0].text ==
        "has " + kRecipient + " twice: that is one reader; leave one of them out");
  CHECK(all.errors[0].key == "recording.recipients");
  CHECK(all.errors[1].key == "recording.second_recipients");
  CHECK(all.errors[2].key == "recording.keystrokes.recipients");
}

TEST_CASE("a role that wants keystrokes needs somebody who may read them", "[config]") {
  const auto with = [](const std::string& recording) {
    return check(R"({"host_keys": ["k"], "identity": {"issuer": "https://i", "client_id": "c"},
      "roles": {"r": {"groups": ["g"], "targets": ["t"], "logins": ["l"],
                      "record_keystrokes": true}},
      "recording": {"recipients": [")" +
                 kRecipient + "\"]" + recording + "}}");
  };
  const auto bad = with("");
  REQUIRE(bad.errors.size() == 1);
  CHECK(bad.errors[0].key == "roles.r.record_keystrokes");
  CHECK(bad.errors[0].text.find("recording.keystrokes.recipients") != std::string::npos);
  const std::string other = age_generate_identity().recipient().text();
  const std::string one = R"(, "keystrokes": {"recipients": [")" + other + "\"]";
  const auto good = with(one + "}");
  REQUIRE(good.config);
  CHECK(good.config->roles.at("r").record_keystrokes);
  CHECK(good.config->key_recipients == std::vector<std::string>{other});
  CHECK(good.config->recipients == std::vector<std::string>{kRecipient});
  const auto same = with(one + R"(, "second_recipients": [")" + other + "\"]}");
  REQUIRE(same.errors.size() == 1);
  CHECK(same.errors[0].key == "recording.keystrokes.second_recipients");
}

TEST_CASE("who approves erasures must be enough of them, and retention is read", "[config]") {
  const auto with = [](const std::string& recording) {
    return check(R"({"host_keys": ["k"], "identity": {"issuer": "https://i", "client_id": "c"},
      "roles": {"r": {"groups": ["g"], "targets": ["t"], "logins": ["l"], "retention_days": 7,
                      "retention_mib": 8}},
      "targets": {"t": {"address": "a:22", "retention_days": 9, "retention_mib": 10}},
      "recording": {"retention_days": 11, "retention_mib": 12, "recipients": [")" +
                 kRecipient + "\"]" + recording + "}}");
  };
  const std::string key =
      "\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL ada\"";
  const auto good = with(R"(, "keystrokes": {"retention_days": 13}, "erasure": {"approvers": [)" +
                         key + R"(], "approvals": 1})");
  REQUIRE(good.config);
  CHECK(good.config->roles.at("r").retention.days == 7);
  CHECK(good.config->roles.at("r").retention.mib == 8);
  CHECK(good.config->targets.at("t").retention.days == 9);
  CHECK(good.config->targets.at("t").retention.mib == 10);
  CHECK(good.config->retention.days == 11);
  CHECK(good.config->retention.mib == 12);
  CHECK(good.config->keystrokes_retention_days == 13);
  CHECK(good.config->erasure.approvals == 1);
  const auto too_few = with(R"(, "erasure": {"approvers": [)" + key + "]}");
  REQUIRE(too_few.errors.size() == 1);
  CHECK(too_few.errors[0].key == "recording.erasure.approvers");
  const auto twice = with(R"(, "erasure": {"approvers": [)" + key + ", " +
                          key.substr(0, key.size() - 4) + "eve\"]}");
  REQUIRE(twice.errors.size() == 1);
  CHECK(twice.errors[0].text.find(" twice: it signs once") != std::string::npos);
  const auto nobody = with(R"(, "erasure": {"approvals": 2})");
  REQUIRE(nobody.errors.size() == 1);
  CHECK(nobody.errors[0].key == "recording.erasure.approvals");
  const auto no_key = with(R"(, "erasure": {"approvers": ["ada"], "approvals": 1})");
  CHECK_FALSE(no_key.errors.empty());
}

TEST_CASE("two people: the second ones are others, and are somebody", "[config]") {
  const std::string other = age_generate_identity().recipient().text();
  const auto with = [](const std::string& second) {
    return check(R"({"host_keys": ["k"], "identity": {"issuer": "https://i", "client_id": "c"},
      "recording": {"recipients": [")" +
                 kRecipient + R"("], "second_recipients": [)" + second + "]}}");
  };
  const auto good = with("\"" + other + "\"");
  REQUIRE(good.config);
  CHECK(good.config->second_recipients == std::vector<std::string>{other});
  for (const std::string& bad : {"\"" + other + "\", \"" + kRecipient + "\"", std::string()}) {
    const auto report = with(bad);
    REQUIRE(report.errors.size() == 1);
    CHECK(report.errors[0].key == "recording.second_recipients");
    CHECK(report.errors[0].text.find("alone could read") != std::string::npos);
  }
  CHECK(with("\"age1x\"").errors.at(0).key == "recording.second_recipients[0]");
  std::string many = "\"" + other + "\"";
  for (int i = 1; i < 65; ++i) {
    many += ", \"" + other + "\"";
  }
  CHECK(with(many).errors.at(0).text.find("at most 64") != std::string::npos);
}

TEST_CASE("the default login is the first that is a name", "[config]") {
  const auto report = check(config_with(
      R"("roles": {"a": {"groups": ["*"], "targets": ["*"], "logins": ["*", "bob"]},
                   "b": {"groups": ["*"], "targets": ["*"], "logins": ["*"]},
                   "c": {"groups": ["*"], "targets": ["*"], "logins": ["*"],
                         "default_login": "eve"}})"));
  REQUIRE(report.config);
  CHECK(report.config->roles.at("a").default_login == "bob");
  CHECK(report.config->roles.at("b").default_login.empty());
  CHECK(report.config->roles.at("c").default_login == "eve");
}

TEST_CASE("http is for loopback in development only", "[config]") {
  const auto with = [](const std::string& issuer, bool development) {
    return check(R"({"host_keys": ["k"], "recording": {"recipients": [")" + kRecipient +
                 R"("]}, "development": )" + (development ? "true" : "false") +
                 R"(, "identity": {"client_id": "c", "issuer": ")" + issuer + "\"}}")
        .config.has_value();
  };
  CHECK(with("https://idp.example.com/realms/x", false));
  CHECK(with("http://127.0.0.1:8080", true));
  CHECK(with("http://[::1]:8080/x", true));
  CHECK_FALSE(with("http://127.0.0.1:8080", false));
  CHECK_FALSE(with("http://idp.example.com", true));
  CHECK_FALSE(with("http://127.0.0.1.example.com", true));
  CHECK_FALSE(with("http://127.0.0.1@evil.example", true));
  CHECK_FALSE(with("ftp://127.0.0.1", true));
  CHECK_FALSE(with("idp.example.com", false));
  CHECK_FALSE(with("https://idp.example.com/?x=1", false));
}

TEST_CASE("client authentication names the file that it needs", "[config]") {
  const auto with = [](const std::string& more) {
    return check(R"({"host_keys": ["k"], "recording": {"recipients": [")" + kRecipient +
                 R"("]}, "identity": {"issuer": "https://i", "client_id": "c", )" + more + "}}");
  };
  CHECK(with(R"("client_authentication": "post")").errors[0].text.find("client_secret_file") !=
        std::string::npos);
  CHECK(with(R"("client_authentication": "private_key_jwt")").errors.size() == 1);
  CHECK(with(R"("scopes": ["profile"])").errors.size() == 1);
  const auto good = with(R"("client_authentication": "basic", "client_secret_file": "s")");
  REQUIRE(good.config);
  CHECK(good.config->identity.client_secret_file == "/etc/x/s");
}

TEST_CASE("a target without host keys or vault key is a warning", "[config]") {
  const auto report = check(config_with(R"("targets": {"t": {"address": "h"}}, )" + role_with("")));
  REQUIRE(report.config);
  REQUIRE(report.warnings.size() == 2);
  CHECK(report.warnings[0].line().starts_with("/etc/x/f.json:2: targets.t: has no host_keys"));
  const auto full = check(config_with(R"("targets": {"t": {"address": "h", "key": "k",
      "host_keys": [")" + kHostKey + R"( comment"]}}, )" +
                                      role_with("")));
  REQUIRE(full.config);
  CHECK(full.warnings.empty());
  CHECK(full.config->targets.at("t").host_keys == std::vector<std::string>{kHostKey});
}

TEST_CASE("host CAs have patterns in lower case and a key", "[config]") {
  const auto report =
      check(config_with(R"("host_cas": {"company": {"patterns": ["*.Example.com", "!old", "[h]:22"],
      "key": ")" + kHostKey +
                        R"( comment"}}, )" + role_with("")));
  REQUIRE(report.config);
  const auto& ca = report.config->host_cas.at("company");
  CHECK(ca.patterns == std::vector<std::string>{"*.example.com", "!old", "[h]:22"});
  CHECK(ca.key == kHostKey);
}

TEST_CASE("a revoked host key is no pin and no CA, and that is a warning", "[config]") {
  const auto report = check(config_with(R"("revoked_host_keys": [")" + kHostKey +
                                        R"( lost"], "host_cas": {"c": {"key": ")" + kHostKey +
                                        R"(", "patterns": ["*"]}}, "targets": {"t": {"address": "h",
      "key": "k", "host_keys": [")" + kHostKey +
                                        R"("]}}, )" + role_with("")));
  REQUIRE(report.config);
  CHECK(report.config->targets.at("t").host_keys.empty());
  CHECK(report.config->host_cas.empty());
  REQUIRE(report.warnings.size() == 2);
  CHECK(report.warnings[0].key == "host_cas.c.key");
  CHECK(report.warnings[1].key == "targets.t.host_keys");
}

TEST_CASE("a directory's files are one configuration", "[config]") {
  const TestFolder folder;
  folder.write("10-main.json", config_with(role_with("")));
  folder.write("targets.json", R"({"targets": {"t": {"address": "h"}}})");
  folder.write("20-more.json", R"({"targets": {"u": {"address": "v"}}})");
  folder.write(".hidden.json", "nonsense");
  folder.write("notes.txt", "nonsense");
  const auto config = load_config(folder.path());
  REQUIRE(config);
  CHECK(config->targets.size() == 2);
  CHECK(config->path == folder.path());
  CHECK(config->host_key_files[0] == folder.path() + "/k");
}

TEST_CASE("a value given in two files is refused with both places", "[config]") {
  const TestFolder folder;
  folder.write("a.json", config_with(R"("targets": {"t": {"address": "h"}})"));
  folder.write("b.json", "{\"targets\": {\n\"t\": {\"address\": \"i\"}}}");
  const auto config = load_config(folder.path());
  REQUIRE_FALSE(config);
  CHECK(config.error().message == folder.path() +
                                      "/b.json:2: targets.t.address: is given already at " +
                                      folder.path() + "/a.json:2; keep one");
}

TEST_CASE("what cannot be read is named", "[config]") {
  const TestFolder folder;
  CHECK(load_config(folder.path()).error().message.find("has no *.json") != std::string::npos);
  CHECK(load_config(folder.path() + "/none").error().message.find("sallyportctl init") !=
        std::string::npos);
  folder.write("a.json", std::string(kMaxConfigFileBytes + 1, ' '));
  CHECK(load_config(folder.path()).error().message ==
        folder.path() + "/a.json:1: is larger than 8 MiB");
}

TEST_CASE("a socket's path must fit", "[config]") {
  starts(error_of(R"("runtime_directory": "/)" + std::string(100, 'x') + "\""),
         "runtime_directory: is too long");
}
