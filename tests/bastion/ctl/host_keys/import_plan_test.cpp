// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/import_plan.h"

#include "tests/support/catch.h"

using namespace sallyport;

namespace {

using Texts = std::vector<std::string>;

const std::string kA =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJA";
const std::string kB =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJB";

Config inventory() {
  Config config;
  config.targets["web1"] = {"10.0.0.5:22", {kA}, "k"};
  config.targets["web2"] = {"web2.example.com:2222", {}, "k"};
  return config;
}

ImportPlan plan(const std::string& text, const Config& config = inventory()) {
  return plan_import(parse_known_hosts(text), config);
}

}  // namespace

TEST_CASE("a line pins its key for the targets that it names", "[host_keys]") {
  CHECK(plan("10.0.0.5 " + kB).pins.at("web1") == Texts{kB});
  CHECK(plan("web1 " + kB).pins.at("web1") == Texts{kB});
  CHECK(plan("[web2.example.com]:2222 " + kB).pins.at("web2") == Texts{kB});
  CHECK(plan("* " + kB).pins.size() == 2);
  CHECK(plan("*,!10.* " + kB).pins.size() == 2);  // web1 is also "web1"
  CHECK(plan("web1 " + kB + "\n10.0.0.5 " + kB).pins.at("web1") == Texts{kB});
  const auto used = plan("web1 " + kB).used;
  REQUIRE(used.size() == 1);
  CHECK(used[0].starts_with("line 1: ssh-ed25519 SHA256:"));
  CHECK(used[0].ends_with(" for web1"));
}

TEST_CASE("a line that is of no use is listed with the reason", "[host_keys]") {
  const auto made = plan("web1 " + kA + "\nweb2.example.com " + kB + "\ndb1 " + kB + "\nnonsense");
  CHECK_FALSE(made.changes_anything());
  CHECK(made.not_used.at("pinned already") == std::vector<size_t>{1});
  CHECK(made.not_used.at("names no target of the inventory") == std::vector<size_t>{2, 3});
  CHECK(made.not_used.size() == 3);
}

TEST_CASE("a revoked key is never pinned, and is taken from who has it", "[host_keys]") {
  const auto made = plan("web2 " + kA + "\n[web2]:2222 " + kA + "\n@revoked nobody " + kA);
  CHECK(made.pins.empty());
  CHECK(made.revoked == Texts{kA});
  CHECK(made.unpins.at("web1") == Texts{kA});
  CHECK(made.used.at(0).ends_with("IS REVOKED AND WAS PINNED for web1"));
  CHECK(made.not_used.at("the key is revoked") == std::vector<size_t>{1, 2});

  auto config = inventory();
  config.revoked_host_keys = {kB};
  CHECK_FALSE(plan("web1 " + kB + "\n@revoked * " + kB, config).changes_anything());
  CHECK_FALSE(plan("@cert-authority * " + kB, config).changes_anything());
}

TEST_CASE("a CA is kept with its patterns", "[host_keys]") {
  const auto made =
      plan("@cert-authority *.Example.com,!old.example.com " + kB + "\n@cert-authority 10.* " + kB);
  REQUIRE(made.host_cas.size() == 1);
  const auto& [name, ca] = *made.host_cas.begin();
  CHECK(name.starts_with("ca-"));
  CHECK(ca.key == kB);
  CHECK(ca.patterns == Texts{"*.example.com", "!old.example.com", "10.*"});

  auto config = inventory();
  config.host_cas["company"] = {{"10.*"}, kB};
  CHECK_FALSE(plan("@cert-authority 10.* " + kB, config).changes_anything());
  CHECK(plan("@cert-authority 192.* " + kB, config).host_cas.at("company").patterns ==
        Texts{"10.*", "192.*"});
  CHECK_FALSE(plan("@cert-authority |1|x|y " + kB).changes_anything());
}

TEST_CASE("line numbers are told in short", "[host_keys]") {
  CHECK(list_lines({4}) == "line 4");
  CHECK(list_lines({1, 2, 5, 7, 8, 9}) == "lines 1, 2, 5, 7-9");
}
