// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/sshsig.h"

#include "shared/base/hex.h"
#include "shared/ssh/wire.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

using namespace sallyport;

namespace {

const std::string kText = "what is signed\n";
const std::string kBegin = "-----BEGIN SSH SIGNATURE-----\n";
const std::string kEnd = "-----END SSH SIGNATURE-----\n";

// One by Ed25519, made once.
const std::string& good() {
  static const std::string kMade = [] {
    const TestFolder folder;
    return test::sign(folder, test::make_key(folder, "-t ed25519"), kText, "space");
  }();
  return kMade;
}

std::string base64_of(const std::string& armour) {
  std::string base64 = armour.substr(kBegin.size(), armour.find(kEnd) - kBegin.size());
  std::erase(base64, '\n');
  return base64;
}

struct Fields {
  std::string magic = "SSHSIG";
  uint32_t version = 1;
  std::vector<uint8_t> key;
  std::string signature_namespace = "space";
  std::string reserved;
  std::string hash = "sha512";
  std::vector<uint8_t> signature;
  std::string behind;

  std::string armour() const {
    std::string bytes = magic + std::string(as_text(SshWriter()
                                                        .u32(version)
                                                        .string(key)
                                                        .string(signature_namespace)
                                                        .string(reserved)
                                                        .string(hash)
                                                        .string(signature)
                                                        .bytes()));
    return kBegin + to_base64(as_bytes(bytes + behind)) + "\n" + kEnd;
  }
};

Fields good_fields() {
  const auto parsed = *parse_sshsig(good());
  Fields fields;
  fields.key = parsed.key;
  fields.signature = parsed.signature;
  return fields;
}

template <class T>
std::string why_not(const Result<T>& result) {
  return result ? "it is good" : result.error().message;
}

Status check(const std::string& armour) {
  const auto parsed = parse_sshsig(armour);
  return parsed ? check_sshsig(*parsed, kText, "space") : parsed.error();
}

void check_has(const std::string& text, const std::string& part) {
  INFO(text << " / " << part);
  CHECK(text.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("ssh-keygen's signatures of every kind of key are checked", "[sshsig]") {
  const TestFolder folder;
  for (const char* kind :
       {"-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"}) {
    const auto key = test::make_key(folder, kind);
    for (const std::string hash : {"sha256", "sha512"}) {
      INFO(kind << " " << hash);
      const auto made = parse_sshsig(test::sign(folder, key, kText, "space", "-O hashalg=" + hash));
      REQUIRE(made);
      CHECK(test::public_half(key).ends_with(" " + to_base64(made->key)));
      CHECK(made->signature_namespace == "space");
      CHECK(made->hash == hash);
      CHECK(check_sshsig(*made, kText, "space"));
      const auto other = check_sshsig(*made, kText + " ", "space");
      REQUIRE_FALSE(other);
      CHECK(other.error().code == Errc::denied);
    }
  }
}

TEST_CASE("a signature for another namespace is refused", "[sshsig]") {
  auto made = *parse_sshsig(good());
  REQUIRE(check_sshsig(made, kText, "space"));
  const auto other = check_sshsig(made, kText, "spac");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::denied);
  CHECK(other.error().message == "a signature for \"space\"; sign again with -n spac");
  made.signature_namespace = "spac";
  check_has(why_not(check_sshsig(made, kText, "spac")), "the signature is wrong");
}

TEST_CASE("a signature by another key is wrong", "[sshsig]") {
  const TestFolder folder;
  auto made = *parse_sshsig(good());
  const auto other = test::make_key(folder, "-t ed25519");
  made.key = parse_sshsig(test::sign(folder, other, kText, "space"))->key;
  const auto checked = check_sshsig(made, kText, "space");
  check_has(why_not(checked), "the signature is wrong");
  CHECK(checked.error().code == Errc::denied);
}

TEST_CASE("no character of a signature can be another one", "[sshsig]") {
  const std::string body = good().substr(0, good().size() - 1);
  REQUIRE(check(body));
  for (size_t i = 0; i < body.size(); ++i) {
    INFO(i);
    std::string changed = body;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(check(changed));
  }
}

TEST_CASE("its lines may have any length", "[sshsig]") {
  const std::string base64 = base64_of(good());
  std::string narrow;
  for (const char c : base64) {
    narrow += std::string(1, c) + "\n";
  }
  CHECK(check(kBegin + base64 + "\n" + kEnd));
  CHECK(check(kBegin + narrow + kEnd));
  CHECK(check(good().substr(0, good().size() - 1)));
}

TEST_CASE("what is not armoured as ssh-keygen does it is refused", "[sshsig]") {
  const std::string begin = "not an OpenSSH signature: it does not begin with";
  const std::string end = "not an OpenSSH signature: it does not end with";
  const std::string behind = "not an OpenSSH signature: something stands behind its last line";
  const std::string empty = "not an OpenSSH signature: it has an empty line";
  const std::string no_base64 =
      "not an OpenSSH signature: what stands between its first and last line is not base64";
  const std::string base64 = base64_of(good());
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", begin},
      {"\n" + good(), begin},
      {" " + good(), begin},
      {base64, begin},
      {kBegin.substr(0, kBegin.size() - 1), begin},
      {kBegin, end},
      {kBegin + kEnd, end},
      {kBegin + base64, end},
      {kBegin + base64 + "\n", end},
      {kBegin + base64 + kEnd, end},
      {kBegin + base64 + "\n-----END SSH SIGNATURE----", end},
      {good() + "\n", behind},
      {good() + good(), behind},
      {good().substr(0, good().size() - 1) + " \n", behind},
      {good().substr(0, good().size() - 1) + "\r\n", behind},
      {kBegin + "\n" + kEnd, "it has no \"SSHSIG\" at its beginning"},
      {kBegin + "\n" + base64 + "\n" + kEnd, empty},
      {kBegin + base64 + "\n\n" + kEnd, empty},
      {kBegin + base64.substr(0, 8) + "\n\n" + base64.substr(8) + "\n" + kEnd, empty},
      {kBegin + base64 + " \n" + kEnd, no_base64},
      {kBegin + base64 + "\r\n" + kEnd, no_base64},
      {kBegin + base64.substr(1) + "\n" + kEnd, no_base64},
      {kBegin + base64 + "====\n" + kEnd, no_base64},
      {kBegin + kBegin + base64 + "\n" + kEnd, no_base64},
      {kBegin + std::string(kMaxSshSigBase64, '!') + "\n" + kEnd, no_base64},
      {kBegin + std::string(kMaxSshSigBase64 + 1, '!') + "\n" + kEnd, "it is too long"},
  };
  for (const auto& [armour, why] : bad) {
    INFO(armour);
    const auto parsed = parse_sshsig(armour);
    check_has(why_not(parsed), why);
    CHECK(parsed.error().code == Errc::corrupt);
  }
}

TEST_CASE("each field of a signature is checked", "[sshsig]") {
  REQUIRE(check(good_fields().armour()));
  const auto why = [](auto change) {
    Fields fields = good_fields();
    change(fields);
    return why_not(check(fields.armour()));
  };
  check_has(why([](Fields& f) { f.magic = "SSHSIH"; }), "no \"SSHSIG\" at its beginning");
  check_has(why([](Fields& f) { f.version = 2; }), "it has version 2");
  check_has(why([](Fields& f) { f.signature_namespace = ""; }), "it is damaged");
  check_has(why([](Fields& f) { f.reserved = "x"; }), "its reserved field is not empty");
  check_has(why([](Fields& f) { f.hash = "sha1\n"; }), "the hash \"sha1\\x0a\", not sha256");
  check_has(why([](Fields& f) { f.behind = "x"; }), "it is damaged");
  check_has(why([](Fields& f) { f.hash = "sha256"; }), "the signature is wrong");
  check_has(why([](Fields& f) { f.key.clear(); }), "the signature is wrong");
  check_has(why([](Fields& f) { f.signature.clear(); }), "a kind that is not known");
}

TEST_CASE("a signature that was cut is damaged", "[sshsig]") {
  const auto bytes = *from_base64(base64_of(good()));
  for (size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    const auto cut = kBegin + to_base64(std::span(bytes).first(size)) + "\n" + kEnd;
    const auto parsed = parse_sshsig(cut);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::corrupt);
  }
}

TEST_CASE("security keys and certificates are not taken", "[sshsig]") {
  for (const std::string type :
       {"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"}) {
    Fields fields = good_fields();
    fields.key = SshWriter().string(type).string("rest").take();
    const auto parsed = parse_sshsig(fields.armour());
    check_has(why_not(parsed), "a signature by a security key (" + type + ") is not taken");
    CHECK(parsed.error().code == Errc::invalid);
  }
  Fields fields = good_fields();
  fields.key = SshWriter().string("ssh-ed25519-cert-v01@openssh.com").string("rest").take();
  check_has(why_not(parse_sshsig(fields.armour())), "a signature by a certificate (ssh-ed25519-");
}
