// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/known_hosts.h"

#include "tests/support/catch.h"

using namespace sallyport;
using Marker = KnownHost::Marker;

namespace {

const std::string kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL";

}  // namespace

TEST_CASE("lines of known_hosts are read with their numbers and markers", "[host_keys]") {
  const auto file =
      parse_known_hosts("# mine\n\n  web1,10.0.0.5 " + kKey + " a comment\r\n" +
                        "@cert-authority\t*.example.com\t" + kKey + "\n" + "@revoked * " + kKey);
  REQUIRE(file.entries.size() == 3);
  CHECK(file.unreadable.empty());
  CHECK(file.entries[0].line == 3);
  CHECK(file.entries[0].hosts == "web1,10.0.0.5");
  CHECK(file.entries[0].key.text() == kKey);
  CHECK(file.entries[0].marker == Marker::none);
  CHECK(file.entries[1].marker == Marker::cert_authority);
  CHECK(file.entries[2].marker == Marker::revoked);
  CHECK(file.entries[2].line == 5);
}

TEST_CASE("a line that cannot be read hinders no other", "[host_keys]") {
  for (const std::string& wrong : std::vector<std::string>{
           "web1", "web1 ssh-ed25519", "web1 ssh-ed25519 AAAA", "@mine web1 " + kKey, "@revoked",
           "@revoked @cert-authority web1 " + kKey, "@ web1 " + kKey, "web1 1024 35 1234567",
           "web1 ssh-dss AAAAB3NzaC1kc3MAAAABAA==", std::string("\0\xff\x80", 3)}) {
    INFO(wrong);
    const auto file = parse_known_hosts(wrong + "\nweb1 " + kKey + "\n");
    REQUIRE(file.unreadable.size() == 1);
    CHECK(file.unreadable[0].line == 1);
    REQUIRE(file.entries.size() == 1);
    CHECK(file.entries[0].line == 2);
  }
}

TEST_CASE("a file of nothing has no lines", "[host_keys]") {
  for (const char* text : {"", "\n", "\n\n", " \t\r\n", "#"}) {
    const auto file = parse_known_hosts(text);
    CHECK((file.entries.empty() && file.unreadable.empty()));
  }
}
