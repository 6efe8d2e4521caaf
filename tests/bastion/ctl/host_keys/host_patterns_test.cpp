// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/host_patterns.h"

#include "tests/bastion/ctl/host_keys/made_keys.h"
#include "tests/support/catch.h"

using namespace sallyport;

TEST_CASE("patterns of known_hosts match as in OpenSSH", "[host_keys]") {
  CHECK(host_field_matches("web1", "web1"));
  CHECK(host_field_matches("db1,web1", "web1"));
  CHECK(host_field_matches("WEB1", "web1"));
  CHECK(host_field_matches("web1", "Web1"));
  CHECK(host_field_matches("*.example.com", "a.b.example.com"));
  CHECK(host_field_matches("10.0.0.?", "10.0.0.5"));
  CHECK(host_field_matches("*", "[10.0.0.5]:2222"));
  CHECK(host_field_matches("[web1]:2222", "[web1]:2222"));
  CHECK_FALSE(host_field_matches("web1", "web10"));
  CHECK_FALSE(host_field_matches("web1", "[web1]:2222"));
  CHECK_FALSE(host_field_matches("10.0.0.?", "10.0.0.55"));
  CHECK_FALSE(host_field_matches("", "web1"));
  CHECK_FALSE(host_field_matches(",", ""));
}

TEST_CASE("one negated pattern that matches is enough to say no", "[host_keys]") {
  CHECK(host_field_matches("*.example.com,!old.example.com", "web1.example.com"));
  CHECK_FALSE(host_field_matches("*.example.com,!old.example.com", "old.example.com"));
  CHECK_FALSE(host_field_matches("!old.example.com,*.example.com", "OLD.example.com"));
  CHECK_FALSE(host_field_matches("!old", "web1"));  // nothing positive
}

TEST_CASE("names that ssh-keygen -H hashed are found", "[host_keys]") {
  const TestFolder folder;
  const auto key = test::public_half(test::make_key(folder, "-t ed25519"));
  const auto file = folder.write("known_hosts", "[Web1.example.com]:2222 " + key + "\n");
  test::run("ssh-keygen -H -f " + file);
  const std::string text = test::read_text(file);
  const std::string field = text.substr(0, text.find(' '));
  REQUIRE(field.starts_with("|1|"));
  CHECK(host_field_matches(field, "[web1.example.com]:2222"));
  CHECK_FALSE(host_field_matches(field, "web1.example.com"));
}

TEST_CASE("what is no hash matches nothing", "[host_keys]") {
  for (const char* field : {"|", "|1|", "|1||", "|1|AAAA|AAAA", "|2|x|y", "|1|!!!!|!!!!",
                            "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAA"}) {
    INFO(field);
    CHECK_FALSE(host_field_matches(field, ""));
    CHECK_FALSE(host_field_matches(field, "web1"));
  }
}

TEST_CASE("a host is written with its port where that is not 22", "[host_keys]") {
  CHECK(known_hosts_name({"web1", 22}) == "web1");
  CHECK(known_hosts_name({"web1", 2222}) == "[web1]:2222");
  CHECK(known_hosts_name({"fe80::1", 2222}) == "[fe80::1]:2222");
}
