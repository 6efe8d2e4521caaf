// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/agent.h"
#include "bastion/keyd/private_key.h"
#include "shared/base/hex.h"
#include "shared/ipc/messages.h"
#include "shared/ssh/wire.h"
#include "tests/bastion/keyd/agent_requests.h"
#include "tests/support/catch.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

using Bytes = std::vector<uint8_t>;

// OpenSSL's own opinion of an SSH signature blob.
bool verifies(EVP_PKEY* key, const Bytes& blob, const Bytes& data, const char* digest) {
  SshReader reader(blob);
  const std::string algorithm(reader.text());
  const auto inner = reader.string();
  Bytes signature(inner.begin(), inner.end());
  if (algorithm.starts_with("ecdsa-")) {
    SshReader numbers(inner);
    const auto r = numbers.mpint();
    const auto s = numbers.mpint();
    REQUIRE(numbers.complete());
    const Handle<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
    ECDSA_SIG_set0(pair.get(), BN_bin2bn(r.data(), static_cast<int>(r.size()), nullptr),
                   BN_bin2bn(s.data(), static_cast<int>(s.size()), nullptr));
    signature.resize(static_cast<size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)));
    unsigned char* end = signature.data();
    i2d_ECDSA_SIG(pair.get(), &end);
  }
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  return reader.complete() &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key, nullptr) ==
             1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(),
                          data.size()) == 1;
}

struct Case {
  const char* type;
  const char* parameter;
  const char* algorithm;
  const char* digest;
  uint32_t flags;
};
constexpr Case kCases[] = {
    {"ED25519", "", "ssh-ed25519", nullptr, 0},
    {"EC", "P-256", "ecdsa-sha2-nistp256", "SHA256", 0},
    {"EC", "P-384", "ecdsa-sha2-nistp384", "SHA384", 0},
    {"EC", "P-521", "ecdsa-sha2-nistp521", "SHA512", 0},
    {"RSA", "", "rsa-sha2-256", "SHA256", 2},
    {"RSA", "", "rsa-sha2-512", "SHA512", 4},
};

EvpKey make(const Case& c) {
  const std::string type = c.type;
  return EvpKey(type == "RSA"  ? EVP_PKEY_Q_keygen(nullptr, nullptr, c.type, size_t{2048})
                : type == "EC" ? EVP_PKEY_Q_keygen(nullptr, nullptr, c.type, c.parameter)
                               : EVP_PKEY_Q_keygen(nullptr, nullptr, c.type));
}

}  // namespace

TEST_CASE("each algorithm's signature verifies, and only for what was signed") {
  for (const Case& c : kCases) {
    INFO(c.algorithm);
    TestSigner signer(make(c));
    AuthText text = signer.text();
    text.algorithm = c.algorithm;
    const Bytes data = text.bytes();
    const auto answer = signer.ask(sign_request(signer.key.blob, data, c.flags));
    REQUIRE(answer.open);
    REQUIRE(answer.type == 14);
    const Bytes signature = answer.signature();
    CHECK(SshReader(signature).text() == c.algorithm);
    CHECK(verifies(signer.pkey.get(), signature, data, c.digest));
    text.user = "toor";
    CHECK(!verifies(signer.pkey.get(), signature, text.bytes(), c.digest));
  }
}

TEST_CASE("the list has the grant's key and nothing else") {
  TestSigner signer;
  const auto answer = signer.ask({11});
  CHECK(answer.open);
  CHECK(answer.bytes ==
        SshWriter().byte(12).u32(1).string(signer.key.blob).string("sallyport").take());
}

TEST_CASE("it signs once; the second time is a failure and the end") {
  TestSigner signer;
  const Bytes request = sign_request(signer.key.blob, signer.text().bytes(), 0);
  CHECK(signer.ask({11}).open);
  CHECK(signer.ask(request).type == 14);
  CHECK(signer.agent.has_signed());
  const auto second = signer.ask(request);
  CHECK(second.type == 5);
  CHECK(!second.open);
  CHECK(signer.signatures == 1);
}

TEST_CASE("two sign requests in one piece give one signature") {
  TestSigner signer;
  const Bytes request = framed(sign_request(signer.key.blob, signer.text().bytes(), 0));
  Bytes twice = request;
  twice.insert(twice.end(), request.begin(), request.end());
  Bytes out;
  CHECK(!signer.agent.receive(twice, out));
  CHECK(signer.signatures == 1);
  CHECK(Bytes(out.end() - 5, out.end()) == Bytes{0, 0, 0, 1, 5});
}

TEST_CASE("messages may come byte by byte") {
  TestSigner signer;
  Bytes out;
  for (const uint8_t byte : framed(sign_request(signer.key.blob, signer.text().bytes(), 0))) {
    REQUIRE(out.empty());
    REQUIRE(signer.agent.receive(std::span(&byte, 1), out));
  }
  REQUIRE(out.size() > 5);
  CHECK(out[4] == 14);
}

TEST_CASE("what is not this session's authentication is not signed") {
  TestSigner signer;
  const AuthText good = signer.text();
  const EvpKey stranger = generate_key(KeyType::ed25519);
  std::vector<std::pair<const char*, Bytes>> bad;
  const auto add = [&](const char* what, auto change) {
    AuthText text = good;
    change(text);
    bad.emplace_back(what, text.bytes());
  };
  add("another login", [](auto& t) { t.user = "toor"; });
  add("no login", [](auto& t) { t.user = ""; });
  add("a login with a tail", [](auto& t) { t.user = std::string("root\0x", 6); });
  add("another message", [](auto& t) { t.type = 51; });
  add("another service", [](auto& t) { t.service = "ssh-userauth"; });
  add("another method", [](auto& t) { t.method = "hostbased"; });
  add("no signature flag", [](auto& t) { t.has_signature = 0; });
  add("a flag of 2", [](auto& t) { t.has_signature = 2; });
  add("another algorithm", [](auto& t) { t.algorithm = "rsa-sha2-512"; });
  add("SHA-1", [](auto& t) { t.algorithm = "ssh-rsa"; });
  add("a certificate", [](auto& t) { t.algorithm = "ssh-ed25519-cert-v01@openssh.com"; });
  add("another key", [&](auto& t) { t.blob = ssh_public_key(*stranger)->blob; });
  add("a short session identifier", [](auto& t) { t.session_id.resize(19); });
  add("a long session identifier", [](auto& t) { t.session_id.resize(65); });
  add("no session identifier", [](auto& t) { t.session_id.clear(); });
  add("a tail", [](auto& t) { t.tail = {0}; });
  add("hostbound without a host key", [](auto& t) { t.method = kHostbound; });
  add("bound to a host key that is not pinned", [&](auto& t) {
    t.method = kHostbound;
    t.tail = SshWriter().string(ssh_public_key(*stranger)->blob).take();
  });
  add("bound to an empty host key", [](auto& t) {
    t.method = kHostbound;
    t.tail = SshWriter().string("").take();
  });
  const Bytes bytes = good.bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    bad.emplace_back("cut off", Bytes(bytes.begin(), bytes.begin() + static_cast<long>(size)));
  }
  bad.emplace_back("a file to sign", SshWriter().string("SSHSIG").string("namespace").take());
  for (const auto& [what, data] : bad) {
    EVP_PKEY_up_ref(signer.pkey.get());
    TestSigner fresh(EvpKey(signer.pkey.get()), good.session_id);
    const auto answer = fresh.ask(sign_request(fresh.key.blob, data, 0));
    INFO(what);
    CHECK(answer.type == 5);
    CHECK(!answer.open);
    CHECK(fresh.signatures == 0);
  }
  CHECK(signer.ask(sign_request(signer.key.blob, bytes, 0)).type == 14);
}

TEST_CASE("the host-bound form is signed for a pinned host key") {
  TestSigner signer;
  AuthText text = signer.text();
  text.method = kHostbound;
  text.tail = SshWriter().string(signer.host_key.blob).take();
  CHECK(signer.ask(sign_request(signer.key.blob, text.bytes(), 0)).type == 14);
}

TEST_CASE("RSA flags must say what the text says") {
  for (const uint32_t flags : {0U, 1U, 2U, 3U, 4U, 6U, 0xffffffffU}) {
    for (const std::string algorithm : {"rsa-sha2-256", "rsa-sha2-512", "ssh-rsa"}) {
      TestSigner signer(make(kCases[4]));
      AuthText text = signer.text();
      text.algorithm = algorithm;
      const bool fits = (algorithm == "rsa-sha2-256" && flags == 2) ||
                        (algorithm == "rsa-sha2-512" && flags == 4);
      INFO(algorithm << " with flags " << flags);
      CHECK((signer.ask(sign_request(signer.key.blob, text.bytes(), flags)).type == 14) == fits);
    }
  }
}

TEST_CASE("malformed and unknown agent messages end it") {
  const Bytes blob = TestSigner().key.blob;
  const std::vector<Bytes> bad = {
      framed({}),                       // no type
      framed({11, 0}),                  // a list with a tail
      framed({1}),                      // protocol 1
      framed({13}),                     // a sign request without anything
      framed({17}),                     // add identity
      framed({18}),                     // remove identity
      framed({22}),                     // lock
      framed(sign_request({}, {}, 0)),  // no key
      {0, 0, 0x40, 1},                  // longer than allowed
      {0xff, 0xff, 0xff, 0xff},         //
      framed({14, 0, 0, 0, 0}),         // an answer
  };
  for (const Bytes& bytes : bad) {
    TestSigner signer;
    Bytes out;
    INFO(to_hex(bytes));
    CHECK(!signer.agent.receive(bytes, out));
    CHECK(out == Bytes{0, 0, 0, 1, 5});
    CHECK(signer.signatures == 0);
  }
}

TEST_CASE("a sign request must name the grant's key and end after its flags") {
  const PublicKey stranger = *ssh_public_key(*generate_key(KeyType::ed25519));
  TestSigner other_key;
  CHECK(!other_key.ask(sign_request(stranger.blob, other_key.text().bytes(), 0)).open);
  TestSigner tail;
  Bytes request = sign_request(tail.key.blob, tail.text().bytes(), 0);
  request.push_back(0);
  CHECK(!tail.ask(request).open);
  CHECK(other_key.signatures + tail.signatures == 0);
}

TEST_CASE("one extension is declined without ending it, a second is the end") {
  TestSigner signer;
  const Bytes extension = SshWriter().byte(27).string("session-bind@openssh.com").take();
  const auto first = signer.ask(extension);
  CHECK(first.type == 5);
  CHECK(first.open);
  CHECK(!signer.ask(extension).open);
}

TEST_CASE("lists are counted") {
  TestSigner signer;
  for (int i = 0; i < OneSignatureAgent::kMaxLists; ++i) {
    CHECK(signer.ask({11}).open);
  }
  CHECK(!signer.ask({11}).open);
}

TEST_CASE("a key that fails to sign uses up the signature") {
  TestSigner signer;
  signer.broken = true;
  const Bytes request = sign_request(signer.key.blob, signer.text().bytes(), 0);
  const auto answer = signer.ask(request);
  CHECK(answer.type == 5);
  CHECK(!answer.open);
  CHECK(signer.agent.has_signed());
}

TEST_CASE("authd's answer must be a whole yes") {
  const PublicKey key = *ssh_public_key(*generate_key(KeyType::ed25519));
  GrantFacts good;
  good.purpose = Purpose::sign;
  good.valid = true;
  good.login = "root";
  good.host_keys = {authorized_keys_line(key, "")};
  CHECK(signing_grant(good, key));
  GrantFacts bad = good;
  bad.valid = false;
  bad.text = "the session has ended";
  CHECK(signing_grant(bad, key).error().message == "the session has ended");
  bad = good;
  bad.purpose = Purpose::dial;
  CHECK(!signing_grant(bad, key));
  bad = good;
  bad.login = "";
  CHECK(!signing_grant(bad, key));
  bad = good;
  bad.host_keys.clear();
  CHECK(!signing_grant(bad, key));
  bad = good;
  bad.host_keys.push_back("not a key");
  CHECK(!signing_grant(bad, key));
}
