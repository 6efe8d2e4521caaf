// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/host_certificate.h"

#include "tests/bastion/ctl/host_keys/made_keys.h"
#include "tests/support/catch.h"

#include <ctime>

using namespace sallyport;

namespace {

const std::vector<std::string> kNames = {"web1.example.com", "web1"};

uint64_t now() {
  return static_cast<uint64_t>(std::time(nullptr));
}

struct World {
  TestFolder folder;
  std::string ca = test::make_key(folder, "-t ed25519");
  std::string host = test::make_key(folder, "-t ed25519");

  Status check(const std::string& options, uint64_t at = now()) const {
    const auto made = parse_host_certificate(test::certify(ca, host, options));
    return made ? check_host_certificate(*made, test::public_line(ca), kNames, at)
                : Status(made.error());
  }
  std::string why_not(const std::string& options) const {
    const auto checked = check(options);
    return checked ? "it is good" : checked.error().message;
  }
};

}  // namespace

TEST_CASE("a certificate of every kind of host key is read", "[host_keys]") {
  const World world;
  for (const char* kind :
       {"-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"}) {
    INFO(kind);
    const auto host = test::make_key(world.folder, kind);
    const auto made = parse_host_certificate(
        test::certify(world.ca, host, "-h -I 'the id' -z 77 -n web2,web1 -V -5m:+5m"));
    REQUIRE(made);
    CHECK(made->key.text() == test::public_line(host).text());
    CHECK(made->serial == 77);
    CHECK(made->key_id == "the id");
    CHECK(made->principals == std::vector<std::string>{"web2", "web1"});
    CHECK(check_host_certificate(*made, test::public_line(world.ca), kNames, now()));
  }
}

TEST_CASE("a certificate is good for its hosts, in its time, by its CA", "[host_keys]") {
  const World world;
  CHECK(world.check("-h -I id -n web1 -V -5m:+5m"));
  CHECK(world.check("-h -I id -n other,web1.example.com"));
  CHECK(world.why_not("-I id -n web1") == "is of a user, not of a host");
  CHECK(world.why_not("-h -I id -n web2") == "is for web2, not for web1.example.com");
  CHECK(world.why_not("-h -I id -n web") == "is for web, not for web1.example.com");
  CHECK(world.why_not("-h -I id -n '*'") == "is for *, not for web1.example.com");
  CHECK(world.why_not("-h -I id") == "names no host (ssh-keygen -n)");
  CHECK(world.why_not("-h -I id -n web1 -V -10m:-5m") == "has run out");
  CHECK(world.why_not("-h -I id -n web1 -V +5m:+10m") == "is not valid yet");
  CHECK(world.why_not("-I id -n web1 -O force-command=x") == "is of a user, not of a host");
  CHECK(world.why_not("-h -I id -n web1 -O critical:x@y=z") ==
        "has a critical option, which no host certificate has");
}

TEST_CASE("a certificate's time begins and ends on the second", "[host_keys]") {
  const World world;
  const auto made = *parse_host_certificate(
      test::certify(world.ca, world.host, "-h -I id -n web1 -V 20300101000000Z:20300102000000Z"));
  const auto ca = test::public_line(world.ca);
  CHECK_FALSE(check_host_certificate(made, ca, kNames, made.valid_after - 1));
  CHECK(check_host_certificate(made, ca, kNames, made.valid_after));
  CHECK(check_host_certificate(made, ca, kNames, made.valid_before - 1));
  CHECK_FALSE(check_host_certificate(made, ca, kNames, made.valid_before));
}

TEST_CASE("another CA's certificate is worth nothing", "[host_keys]") {
  const World world;
  const auto other = test::make_key(world.folder, "-t ed25519");
  auto made = *parse_host_certificate(test::certify(other, world.host));
  const auto ca = test::public_line(world.ca);
  CHECK(check_host_certificate(made, ca, kNames, now()).error().message ==
        "is signed by another CA");
  made.ca = *from_base64(ca.base64);  // it may say what it likes
  CHECK_FALSE(check_host_certificate(made, ca, kNames, now()));
}

TEST_CASE("a certificate with any bit flipped is worth nothing", "[host_keys]") {
  const World world;
  const auto ca = test::public_line(world.ca);
  auto blob = test::certify(world.ca, world.host);
  REQUIRE(check_host_certificate(*parse_host_certificate(blob), ca, kNames, now()));
  for (size_t bit = 0; bit < blob.size() * 8; ++bit) {
    blob[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const auto made = parse_host_certificate(blob);
    if (made && check_host_certificate(*made, ca, kNames, now())) {
      FAIL_CHECK("bit " << bit << " of " << blob.size() * 8);
    }
    blob[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST_CASE("a certificate that is cut, or has more at its end, is damaged", "[host_keys]") {
  const World world;
  auto blob = test::certify(world.ca, world.host);
  for (size_t size = 0; size < blob.size(); ++size) {
    CHECK_FALSE(parse_host_certificate(std::span(blob).first(size)));
  }
  blob.push_back(0);
  CHECK_FALSE(parse_host_certificate(blob));
  CHECK_FALSE(parse_host_certificate(*from_base64(test::public_line(world.host).base64)));
}
