// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/vault/key_file.h"

#include "bastion/keyd/private_key.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

using namespace sallyport;
using namespace sallyport::test;

namespace {

AskPassphrase passphrase(const std::string& text) {
  return [text] { return Result<SecretBytes>(SecretBytes(std::string_view(text))); };
}

Result<SecretBytes> not_asked() {
  FAIL("a passphrase was asked for");
  return Error{Errc::internal, ""};
}

Result<SecretBytes> read_file(const std::string& path, const AskPassphrase& ask) {
  return read_private_key(*read_secret_file(path), ask);
}

// The public half of what was read, as keyd will see it; or the error.
std::string public_line(const Result<SecretBytes>& pkcs8) {
  if (!pkcs8) {
    return pkcs8.error().message;
  }
  const auto key = import_key(pkcs8->span());
  if (!key) {
    return key.error().message;
  }
  const std::string line = authorized_keys_line(*ssh_public_key(**key), "");
  return line.substr(0, line.size() - 1);
}

std::string refusal(const std::string& text) {
  const auto key = read_private_key(SecretBytes(std::string_view(text)), not_asked);
  return key ? "taken" : key.error().message;
}

constexpr const char* kTypes[] = {"-t ed25519",      "-t ecdsa -b 256", "-t ecdsa -b 384",
                                  "-t ecdsa -b 521", "-t rsa -b 2048",  "-t rsa -b 3072"};

}  // namespace

TEST_CASE("ssh-keygen's keys of every type are read") {
  const TestFolder folder;
  for (const std::string type : kTypes) {
    const std::string file = make_key(folder, type);
    INFO(type);
    CHECK(public_line(read_file(file, not_asked)) == public_half(file));
  }
}

TEST_CASE("ssh-keygen's keys of every type are read when encrypted") {
  const TestFolder folder;
  for (const std::string type : kTypes) {
    const std::string file = make_key(folder, type, "correct horse");
    INFO(type);
    CHECK(public_line(read_file(file, passphrase("correct horse"))) == public_half(file));
  }
}

TEST_CASE("ssh-keygen's keys are read with every cipher, and a wrong passphrase is told") {
  const TestFolder folder;
  for (const std::string cipher : {"aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-cbc",
                                   "aes192-cbc", "aes256-cbc", "3des-cbc", "aes128-gcm@openssh.com",
                                   "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"}) {
    const std::string file = make_key(folder, "-t ed25519 -Z " + cipher, "correct horse");
    INFO(cipher);
    CHECK(public_line(read_file(file, passphrase("correct horse"))) == public_half(file));
    for (const char* wrong : {"correct hors", "correct horse ", "x"}) {
      const auto refused = read_file(file, passphrase(wrong));
      REQUIRE(!refused);
      CHECK(refused.error().message == "the passphrase is wrong, or the file is damaged");
    }
  }
}

TEST_CASE("PEM files of OpenSSL and of older ssh-keygen are read") {
  const TestFolder folder;
  for (const std::string type : {"-t rsa -b 2048", "-t ecdsa -b 256"}) {
    for (const std::string format : {"PEM", "PKCS8"}) {
      const std::string plain = make_key(folder, type + " -m " + format);
      const std::string sealed = make_key(folder, type + " -m " + format, "correct horse");
      INFO(type << " " << format);
      CHECK(public_line(read_file(plain, not_asked)) == public_half(plain));
      CHECK(public_line(read_file(sealed, passphrase("correct horse"))) == public_half(sealed));
      const auto refused = read_file(sealed, passphrase("wrong"));
      REQUIRE(!refused);
      CHECK(refused.error().message == "the passphrase is wrong, or the file is damaged");
    }
  }
}

TEST_CASE("keys made by openssl alone are read, parameters block and all") {
  const TestFolder folder;
  run("openssl ecparam -name prime256v1 -genkey -out " + (folder / "ec"));
  CHECK(public_line(read_file(folder / "ec", not_asked)).find("ecdsa-sha2-nistp256 ") == 0);
  run("openssl genpkey -algorithm ed25519 -out " + (folder / "ed"));
  CHECK(public_line(read_file(folder / "ed", not_asked)).find("ssh-ed25519 ") == 0);
}

TEST_CASE("what is not a private key is told by name") {
  const TestFolder folder;
  const std::string file = make_key(folder, "-t ed25519");
  CHECK(refusal(read_text(file + ".pub")).find("this is a public key") == 0);
  run("ssh-keygen -q -e -f " + file + ".pub > " + (folder / "rfc4716") + " || true");
  CHECK(refusal("---- BEGIN SSH2 PUBLIC KEY ----\n").find("this is a public key") == 0);
  CHECK(refusal("-----BEGIN PUBLIC KEY-----\n").find("this is a public key") == 0);
  CHECK(refusal("-----BEGIN CERTIFICATE-----\n").find("this is a certificate") == 0);
  CHECK(refusal("PuTTY-User-Key-File-3: ssh-ed25519\n").find("this is PuTTY's format") == 0);
  CHECK(refusal("-----BEGIN DSA PRIVATE KEY-----\n").find("DSA keys are not supported") == 0);
  CHECK(refusal("hello\n").find("this is not a private key file") == 0);
  CHECK(refusal(" \n\n") == "the file is empty");
  CHECK(refusal("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .find("this private key cannot be read") == 0);
}

TEST_CASE("an error of the one who asks for the passphrase is passed on") {
  const TestFolder folder;
  const AskPassphrase nobody = [] { return Error{Errc::invalid, "nobody to ask"}; };
  for (const std::string options : {"-t ed25519", "-t rsa -b 2048 -m PEM"}) {
    const auto refused = read_file(make_key(folder, options, "correct horse"), nobody);
    REQUIRE(!refused);
    CHECK(refused.error().message == "nobody to ask");
  }
}

TEST_CASE("files that are missing or far too long are refused") {
  const TestFolder folder;
  CHECK(!read_secret_file(folder / "nothing"));
  CHECK(!read_secret_file(folder.path()));
  write_text(folder / "long", std::string(65 * 1024, 'x'));
  CHECK(read_secret_file(folder / "long").error().message.find("64 KiB") != std::string::npos);
}
