// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/certified.h"

#include "tests/bastion/ctl/host_keys/made_keys.h"
#include "tests/support/catch.h"

#include <ctime>

using namespace sallyport;

namespace {

using Cas = std::map<std::string, HostCaConfig>;

struct World {
  TestFolder folder;
  std::string ca = test::make_key(folder, "-t ed25519");
  std::string host = test::make_key(folder, "-t ed25519");

  Certified certified(std::vector<std::string> patterns, const TargetNames& names,
                      const std::string& principals) const {
    const std::vector certificates = {
        *parse_host_certificate(test::certify(ca, host, "-h -I id -n " + principals))};
    return certified_keys({{"company", {std::move(patterns), test::public_line(ca).text()}}}, names,
                          certificates, static_cast<uint64_t>(std::time(nullptr)));
  }
};

}  // namespace

TEST_CASE("a target goes by its address and by its name", "[host_keys]") {
  const TargetNames names("Web1", {"10.0.0.5", 2222});
  CHECK(names.plain == std::vector<std::string>{"10.0.0.5", "web1"});
  CHECK(names.known_hosts == std::vector<std::string>{"[10.0.0.5]:2222", "[web1]:2222"});
  CHECK(TargetNames("web1", {"WEB1", 22}).plain == std::vector<std::string>{"web1"});
}

TEST_CASE("a CA is asked about the targets that its patterns fit", "[host_keys]") {
  const TargetNames names("web1", {"10.0.0.5", 2222});
  for (const char* pattern : {"web*", "10.0.0.*", "[web1]:2222", "*"}) {
    INFO(pattern);
    CHECK(cas_for(Cas{{"c", {{pattern}, ""}}}, names).size() == 1);
  }
  for (const std::vector<std::string>& patterns :
       std::vector<std::vector<std::string>>{{"db*"}, {"[web1]:22"}, {}, {"*", "!web*", "!10.*"}}) {
    CHECK(cas_for(Cas{{"c", {patterns, ""}}}, names).empty());
  }
}

TEST_CASE("the name that the pattern fits must be the certificate's", "[host_keys]") {
  const World world;
  const TargetNames names("web1", {"10.0.0.5", 22});
  const auto good = world.certified({"web*"}, names, "web1");
  REQUIRE(good.keys.size() == 1);
  CHECK(good.keys[0].text() == test::public_line(world.host).text());
  CHECK(good.notes == std::vector<std::string>{"ssh-ed25519 is certified by company"});
  const auto other = world.certified({"10.0.0.*"}, names, "web1");
  CHECK(other.keys.empty());
  CHECK(other.notes == std::vector<std::string>{"ssh-ed25519: its certificate is worth nothing: is "
                                                "for web1, not for 10.0.0.5 (company)"});
}
