// SPDX-License-Identifier: Apache-2.0
//
// Signatures by ssh-keygen: those of certificates, over all that stands before them.
#include "shared/ssh/ssh_signature.h"

#include "shared/base/hex.h"
#include "shared/ssh/wire.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

using namespace sallyport;

namespace {

std::vector<uint8_t> blob_of(const std::string& file) {
  const std::string text = test::read_text(file);
  const auto begin = text.find(' ') + 1;
  return *from_base64(text.substr(begin, text.find_first_of(" \n", begin) - begin));
}

struct Made {
  std::vector<uint8_t> ca;
  std::vector<uint8_t> signed_part;
  std::vector<uint8_t> signature;
};

// A certificate of an Ed25519 key (OpenSSH's PROTOCOL.certkeys).
Made certify(const TestFolder& folder, const std::string& ca, const std::string& how = "") {
  const auto host = test::make_key(folder, "-t ed25519");
  test::run("ssh-keygen -q -s " + ca + " " + how + " -h -I id -n web1 -V -5m:+5m " + host + ".pub");
  const auto blob = blob_of(host + "-cert.pub");
  SshReader in(blob);
  in.string();    // type
  in.string();    // nonce
  in.string();    // key
  in.u64();       // serial number
  in.u32();       // of a host
  in.string();    // its name
  in.string();    // principals
  in.raw(2 * 8);  // valid from, to
  in.string();    // critical options
  in.string();    // extensions
  in.string();    // reserved
  const auto by = in.string();
  const auto signed_bytes = std::span(blob).first(blob.size() - in.rest().size());
  const auto signature = in.string();
  REQUIRE(in.complete());
  return {{by.begin(), by.end()},
          {signed_bytes.begin(), signed_bytes.end()},
          {signature.begin(), signature.end()}};
}

Status check(const Made& made) {
  return check_ssh_signature(made.ca, made.signed_part, made.signature);
}

Status check_made_by(const std::string& ca_options, const std::string& how = "") {
  const TestFolder folder;
  return check(certify(folder, test::make_key(folder, ca_options), how));
}

}  // namespace

TEST_CASE("signatures of every kind are checked", "[ssh_signature]") {
  for (const char* kind :
       {"-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"}) {
    INFO(kind);
    CHECK(check_made_by(kind));
  }
  CHECK(check_made_by("-t rsa -b 2048", "-t rsa-sha2-256"));
}

TEST_CASE("SHA-1 and small RSA keys are refused", "[ssh_signature]") {
  const auto sha1 = check_made_by("-t rsa -b 2048", "-t ssh-rsa");
  REQUIRE_FALSE(sha1);
  CHECK(sha1.error().message.find("SHA-1") != std::string::npos);
  CHECK_FALSE(check_made_by("-t rsa -b 1024"));
}

TEST_CASE("a signature of another key or over other bytes is wrong", "[ssh_signature]") {
  const TestFolder folder;
  for (const char* kind : {"-t ed25519", "-t ecdsa -b 384", "-t rsa -b 2048"}) {
    INFO(kind);
    auto made = certify(folder, test::make_key(folder, kind));
    REQUIRE(check(made));
    const auto other = blob_of(test::make_key(folder, kind) + ".pub");
    CHECK_FALSE(check_ssh_signature(other, made.signed_part, made.signature));
    made.signed_part.back() ^= 1;
    CHECK_FALSE(check(made));
    CHECK_FALSE(check_ssh_signature(made.ca, {}, made.signature));
    CHECK_FALSE(check_ssh_signature(made.ca, made.signed_part, {}));
    CHECK_FALSE(check_ssh_signature({}, made.signed_part, made.signature));
  }
}

TEST_CASE("a key of ECDSA has one blob", "[ssh_signature]") {
  const TestFolder folder;
  auto made = certify(folder, test::make_key(folder, "-t ecdsa -b 256"));
  SshReader in(made.ca);
  const std::string type(in.text());
  const std::string curve(in.text());
  const auto blob = in.string();
  std::vector<uint8_t> point(blob.begin(), blob.end());
  REQUIRE(point.size() == 65);
  const auto as = [&](std::string_view name, std::span<const uint8_t> how) {
    made.ca = SshWriter().string(type).string(name).string(how).take();
    return check(made).has_value();
  };
  CHECK(as(curve, point));
  CHECK_FALSE(as("256", point));
  CHECK_FALSE(as("-nistp256", point));
  CHECK_FALSE(as("nistp384", point));
  const uint8_t odd = point.back() & 1;
  point[0] = 6 | odd;  // hybrid (SEC 1 section 2.3.3)
  CHECK_FALSE(as(curve, point));
  point[0] = 2 | odd;  // compressed
  CHECK_FALSE(as(curve, std::span(point).first(33)));
}
