// SPDX-License-Identifier: Apache-2.0
//
// Signatures by ssh-keygen: those of certificates, over all that stands before them.
#include "bastion/ctl/host_keys/ssh_signature.h"

#include "tests/bastion/ctl/host_keys/made_keys.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

Status check_made_by(const std::string& ca_options, const std::string& how = "") {
  const TestFolder folder;
  const auto ca = test::make_key(folder, ca_options);
  const auto host = test::make_key(folder, "-t ed25519");
  const auto made =
      *parse_host_certificate(test::certify(ca, host, how + " -h -I id -n web1 -V -5m:+5m"));
  return check_ssh_signature(made.ca, made.signed_part, made.signature);
}

}  // namespace

TEST_CASE("signatures of every kind are checked", "[host_keys]") {
  for (const char* kind :
       {"-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"}) {
    INFO(kind);
    CHECK(check_made_by(kind));
  }
  CHECK(check_made_by("-t rsa -b 2048", "-t rsa-sha2-256"));
}

TEST_CASE("SHA-1 and small RSA keys are refused", "[host_keys]") {
  const auto sha1 = check_made_by("-t rsa -b 2048", "-t ssh-rsa");
  REQUIRE_FALSE(sha1);
  CHECK(sha1.error().message.find("SHA-1") != std::string::npos);
  CHECK_FALSE(check_made_by("-t rsa -b 1024"));
}

TEST_CASE("a signature of another key or over other bytes is wrong", "[host_keys]") {
  const TestFolder folder;
  for (const char* kind : {"-t ed25519", "-t ecdsa -b 384", "-t rsa -b 2048"}) {
    INFO(kind);
    const auto ca = test::make_key(folder, kind);
    const auto host = test::make_key(folder, "-t ed25519");
    auto made = *parse_host_certificate(test::certify(ca, host));
    REQUIRE(check_ssh_signature(made.ca, made.signed_part, made.signature));
    const auto other = test::public_line(test::make_key(folder, kind));
    CHECK_FALSE(check_ssh_signature(*from_base64(other.base64), made.signed_part, made.signature));
    made.signed_part.back() ^= 1;
    CHECK_FALSE(check_ssh_signature(made.ca, made.signed_part, made.signature));
    CHECK_FALSE(check_ssh_signature(made.ca, {}, made.signature));
    CHECK_FALSE(check_ssh_signature(made.ca, made.signed_part, {}));
    CHECK_FALSE(check_ssh_signature({}, made.signed_part, made.signature));
  }
}
