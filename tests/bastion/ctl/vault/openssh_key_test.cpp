// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/vault/openssh_key.h"

#include "bastion/keyd/private_key.h"
#include "shared/base/hex.h"
#include "shared/ssh/wire.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

using namespace sallyport;
using namespace sallyport::test;

namespace {

using Bytes = std::vector<uint8_t>;

const std::string kEnd = "-----END OPENSSH PRIVATE KEY-----\n";

Bytes decode(const std::string& file) {
  std::string body = file.substr(kOpensshBegin.size(), file.find(kEnd) - kOpensshBegin.size());
  std::erase(body, '\n');
  return *from_base64(body);
}

std::string armor(const Bytes& bytes) {
  return std::string(kOpensshBegin) + "\n" + to_base64(bytes) + "\n" + kEnd;
}

Result<SecretBytes> read_with(const std::string& text, const char* passphrase = "correct horse") {
  return read_openssh_key(text, [passphrase] {
    return Result<SecretBytes>(SecretBytes(std::string_view(passphrase)));
  });
}

SshWriter section_head(uint32_t first, uint32_t second, const std::string& type) {
  SshWriter writer;
  writer.u32(first).u32(second).string(type);
  return writer;
}

std::string section_error(const Bytes& section) {
  const auto key = read_openssh_section(section, 8);
  return key ? "taken" : key.error().message;
}

struct Ed25519Section {
  Bytes point;
  Bytes seed_and_point;
  Bytes padding;
  Bytes bytes() const {
    auto out = section_head(1, 1, "ssh-ed25519")
                   .string(point)
                   .string(seed_and_point)
                   .string("comment")
                   .take();
    out.insert(out.end(), padding.begin(), padding.end());
    return out;
  }
};

Ed25519Section good_section() {
  const EvpKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  Ed25519Section section{Bytes(32), Bytes(64), {1, 2, 3}};
  size_t size = 32;
  EVP_PKEY_get_raw_private_key(key.get(), section.seed_and_point.data(), &size);
  EVP_PKEY_get_raw_public_key(key.get(), section.point.data(), &size);
  std::copy(section.point.begin(), section.point.end(), section.seed_and_point.begin() + 32);
  return section;
}

}  // namespace

TEST_CASE("a key file that was cut off anywhere is refused") {
  const TestFolder folder;
  for (const std::string passphrase : {"", "correct horse"}) {
    const std::string text = read_text(make_key(folder, "-t ed25519", passphrase));
    for (size_t size = 0; size + 2 < text.size(); ++size) {
      CHECK(!read_with(text.substr(0, size)));
    }
    const Bytes bytes = decode(text);
    for (size_t size = 0; size < bytes.size(); ++size) {
      CHECK(!read_with(armor(Bytes(bytes.begin(), bytes.begin() + static_cast<long>(size)))));
    }
    Bytes longer = bytes;
    longer.push_back(0);
    CHECK(!read_with(armor(longer)));
    CHECK(read_with(armor(bytes)));
  }
}

TEST_CASE("every changed byte of a key sealed with a tag is refused") {
  const TestFolder folder;
  for (const std::string cipher : {"aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"}) {
    const Bytes good =
        decode(read_text(make_key(folder, "-t ed25519 -Z " + cipher, "correct horse")));
    REQUIRE(read_with(armor(good)));
    const size_t sealed = good.size() - 16 - 144;  // behind the public key: length, section, tag
    for (size_t i = sealed; i < good.size(); i += 3) {
      Bytes bad = good;
      bad[i] ^= 1;
      INFO(cipher << " byte " << i);
      CHECK(!read_with(armor(bad)));
    }
  }
}

TEST_CASE("no changed byte of an open key file crashes or gives another key") {
  const TestFolder folder;
  const std::string file = make_key(folder, "-t ecdsa -b 256");
  const Bytes good = decode(read_text(file));
  size_t taken = 0;
  for (size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    const auto key = read_with(armor(bad));
    const auto imported = key ? import_key(key->span()) : Result<EvpKey>(key.error());
    if (imported) {
      ++taken;  // the outer public key, the checks together, the comment
      CHECK(authorized_keys_line(*ssh_public_key(**imported), "").find(public_half(file)) == 0);
    }
  }
  CHECK(taken < good.size() / 2);
}

TEST_CASE("the section's fields are checked one by one") {
  const Ed25519Section good = good_section();
  REQUIRE(section_error(good.bytes()) == "taken");
  const std::string damaged = "this OpenSSH key file is damaged or cut off; copy it again, whole";
  const std::string no_key = "this key file is damaged: its numbers are not a key";

  auto bad = good;
  bad.padding = {1, 2, 4};
  CHECK(section_error(bad.bytes()) == damaged);
  bad.padding = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(section_error(bad.bytes()) == damaged);
  bad = good;
  bad.point[0] ^= 1;
  CHECK(section_error(bad.bytes()) == no_key);
  bad = good;
  bad.seed_and_point[0] ^= 1;
  CHECK(section_error(bad.bytes()) == no_key);
  bad = good;
  bad.seed_and_point[40] ^= 1;
  CHECK(section_error(bad.bytes()) == no_key);
  bad = good;
  bad.seed_and_point.resize(63);
  CHECK(section_error(bad.bytes()) == no_key);
  CHECK(section_error(section_head(1, 2, "ssh-ed25519").take()) ==
        "the passphrase is wrong, or the file is damaged");
}

TEST_CASE("types that the vault does not take are named") {
  const auto dss = section_head(1, 1, "ssh-dss").string("p").string("comment").take();
  CHECK(section_error(dss).find("keys of type ssh-dss are not supported") == 0);
  const auto token = section_head(1, 1, "sk-ssh-ed25519@openssh.com").string("x").take();
  CHECK(section_error(token).find("keys of type sk-ssh-ed25519@openssh.com need their") == 0);
  const auto hostile = section_head(1, 1, "x\x1b[2J").string("x").take();
  CHECK(section_error(hostile).find("\x1b") == std::string::npos);
}

TEST_CASE("hostile derivations are refused before any work") {
  const auto file = [](std::string_view cipher, std::string_view kdf, const Bytes& options) {
    auto bytes = SshWriter()
                     .string(cipher)
                     .string(kdf)
                     .string(options)
                     .u32(1)
                     .string("public")
                     .string(Bytes(32))
                     .take();
    const std::string_view magic("openssh-key-v1\0", 15);
    bytes.insert(bytes.begin(), magic.begin(), magic.end());
    return armor(bytes);
  };
  const auto options = [](size_t salt, uint32_t rounds) {
    return SshWriter().string(Bytes(salt)).u32(rounds).take();
  };
  const auto refusal = [](const std::string& text) {
    const auto key =
        read_openssh_key(text, []() -> Result<SecretBytes> { throw std::runtime_error("asked"); });
    return key ? "taken" : key.error().message;
  };
  CHECK(refusal(file("aes256-ctr", "bcrypt", options(16, 4'000'000'000))).find("rounds") !=
        std::string::npos);
  CHECK(refusal(file("aes256-ctr", "bcrypt", options(16, 0))).find("damaged") != std::string::npos);
  CHECK(refusal(file("aes256-ctr", "bcrypt", options(0, 16))).find("damaged") != std::string::npos);
  CHECK(refusal(file("aes256-ctr", "bcrypt", options(65, 16))).find("damaged") !=
        std::string::npos);
  CHECK(refusal(file("aes256-ctr", "none", {})).find("damaged") != std::string::npos);
  CHECK(refusal(file("none", "bcrypt", options(16, 16))).find("damaged") != std::string::npos);
  CHECK(refusal(file("rot13", "bcrypt", options(16, 16))).find("cipher rot13 is not known") == 0);
}
