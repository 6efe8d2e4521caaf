// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/age.h"

#include "shared/base/hex.h"
#include "shared/crypto/bech32.h"
#include "shared/crypto/sha256.h"
#include "tests/shared/crypto/age_tool.h"
#include "tests/support/catch.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

using namespace sallyport;

namespace {

std::vector<AgeIdentity> identities(AgeIdentity identity) {
  std::vector<AgeIdentity> all;
  all.push_back(std::move(identity));
  return all;
}

struct Vector {
  std::multimap<std::string, std::string> keys;
  std::string file;
};

Vector read_vector(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  Vector vector;
  for (std::string line; std::getline(in, line) && !line.empty();) {
    const size_t colon = line.find(": ");
    vector.keys.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  std::ostringstream rest;
  rest << in.rdbuf();
  vector.file = rest.str();
  return vector;
}

}  // namespace

TEST_CASE("bech32: the recipient of BIP 173's alphabet comes back") {
  const std::vector<uint8_t> bytes = {0, 1, 2, 0xff, 0x80, 7, 9};
  const std::string text = bech32_encode("age", bytes);
  const auto back = bech32_decode("age", text);
  REQUIRE(back);
  CHECK(to_hex(back->span()) == to_hex(bytes));
  CHECK_FALSE(bech32_decode("agf", text));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'q' ? 'p' : 'q';
    CHECK_FALSE(bech32_decode("age", changed));
  }
}

// BIP 173's own test vector: its data part is 32 zero bytes and padding.
TEST_CASE("bech32: BIP 173 test vectors") {
  CHECK(bech32_decode("a", "A12UEL5L"));
  CHECK(bech32_decode("a", "a12uel5l"));
  CHECK_FALSE(bech32_decode("a", "A12uEL5L"));
  CHECK_FALSE(bech32_decode("a", "A1G7SGD8"));
  CHECK_FALSE(bech32_decode("x", "x1b4n0q5v"));
}

TEST_CASE("age keys: identity files with comments; errors name the line and no secret") {
  const AgeIdentity identity = age_generate_identity();
  const SecretBytes file = age_identity_file(identity);
  const auto parsed = parse_age_identities(file.view());
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 1);
  CHECK(parsed->front().recipient() == identity.recipient());
  std::string broken = "# a comment\n\n" + std::string(identity.text().view());
  broken.back() = broken.back() == 'Q' ? 'P' : 'Q';
  const auto bad = parse_age_identities(broken);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message.find("line 3") != std::string::npos);
  CHECK(bad.error().message.find(broken.substr(13, 20)) == std::string::npos);
  CHECK_FALSE(parse_age_identities("# nothing\n"));
}

TEST_CASE("age keys: recipients, one per line; an identity is not a recipient") {
  const AgeIdentity identity = age_generate_identity();
  const std::string text = identity.recipient().text();
  const auto two = parse_age_recipients("# a\n" + text + "\r\n  " + text + " \n");
  REQUIRE(two);
  CHECK(two->size() == 2);
  CHECK((*two)[1] == identity.recipient());
  CHECK_FALSE(parse_age_recipient(identity.text().view()));
  CHECK_FALSE(parse_age_recipient(text + "q"));
  CHECK_FALSE(parse_age_recipients(""));
}

TEST_CASE("age: every length around a chunk comes back for each of two recipients") {
  const size_t length = GENERATE(0U, 1U, 65535U, 65536U, 65537U, 131072U, 200000U);
  const AgeIdentity one = age_generate_identity();
  const AgeIdentity two = age_generate_identity();
  const std::vector<uint8_t> plaintext(length, 'p');
  const std::vector<AgeRecipient> recipients = {one.recipient(), two.recipient()};
  const auto file = age_encrypt(plaintext, recipients);
  REQUIRE(file);
  for (const AgeIdentity* identity : {&one, &two}) {
    const auto opened =
        age_decrypt(*file, identities(AgeIdentity{SecretBytes(identity->key.span())}));
    REQUIRE(opened);
    CHECK(opened->size() == length);
    CHECK(std::equal(plaintext.begin(), plaintext.end(), opened->data()));
  }
  const auto stranger = age_decrypt(*file, identities(age_generate_identity()));
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().code == Errc::denied);
}

TEST_CASE("age: every changed byte and every shorter length is refused") {
  const AgeIdentity identity = age_generate_identity();
  const std::vector<AgeRecipient> recipients = {identity.recipient()};
  const auto file = age_encrypt(as_bytes("thirty-two bytes of a data key.."), recipients);
  REQUIRE(file);
  const auto all = identities(AgeIdentity{SecretBytes(identity.key.span())});
  for (size_t i = 0; i < file->size(); ++i) {
    auto changed = *file;
    changed[i] ^= 1;
    CHECK_FALSE(age_decrypt(changed, all));
    CHECK_FALSE(age_decrypt(std::span(*file).first(i), all));
  }
  CHECK(age_decrypt(*file, all));
}

TEST_CASE("age: no recipient and a low-order recipient are errors") {
  CHECK_FALSE(age_encrypt(as_bytes("x"), {}));
  CHECK_FALSE(age_encrypt(as_bytes("x"), std::vector<AgeRecipient>{AgeRecipient{}}));
}

TEST_CASE("age: the community's test vectors") {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SALLYPORT_TEST_DATA "/age")) {
    if (entry.path().extension() == ".md") {
      continue;
    }
    INFO(entry.path());
    const Vector vector = read_vector(entry.path());
    std::vector<AgeIdentity> keys;
    for (auto [at, end] = vector.keys.equal_range("identity"); at != end; ++at) {
      auto parsed = parse_age_identities(at->second);
      REQUIRE(parsed);
      keys.push_back(std::move(parsed->front()));
    }
    const auto opened = age_decrypt(as_bytes(vector.file), keys);
    const std::string expect = vector.keys.find("expect")->second;
    REQUIRE(opened.has_value() == (expect == "success"));
    if (opened) {
      CHECK(to_hex(sha256(opened->span())) == vector.keys.find("payload")->second);
    } else {
      CHECK((opened.error().code == Errc::denied) == (expect == "no match"));
    }
    ++seen;
  }
  CHECK(seen >= 40);
}

TEST_CASE("age: the stock age opens ours, with two recipients") {
  const TempDir dir;
  const AgeIdentity identity = age_generate_identity();
  const std::vector<AgeRecipient> recipients = {age_generate_identity().recipient(),
                                                identity.recipient()};
  const std::string text(100000, 't');
  const auto file = age_encrypt(as_bytes(text), recipients);
  REQUIRE(file);
  dir.write("file.age", as_text(*file));
  dir.write("key.txt", age_identity_file(identity).view());
  REQUIRE(dir.run("age -d -i key.txt -o plain file.age") == 0);
  CHECK(dir.read("plain") == text);
  REQUIRE(dir.run("age-keygen -y key.txt > public.txt") == 0);
  CHECK(dir.read("public.txt") == identity.recipient().text() + "\n");
}

TEST_CASE("age: ours opens what the stock age-keygen and age -r, -R wrote") {
  const TempDir dir;
  REQUIRE(dir.run("age-keygen -o key.txt 2>/dev/null && age-keygen -y key.txt > public.txt") == 0);
  const auto keys = parse_age_identities(dir.read("key.txt"));
  REQUIRE(keys);
  CHECK(keys->front().recipient().text() + "\n" == dir.read("public.txt"));
  dir.write("plain", std::string(70000, 'x'));
  const std::string how = GENERATE("-R public.txt", "-r $(cat public.txt)");
  REQUIRE(dir.run("age " + how + " -o file.age plain") == 0);
  const auto opened = age_decrypt(as_bytes(dir.read("file.age")), *keys);
  REQUIRE(opened);
  CHECK(opened->view() == dir.read("plain"));
}
