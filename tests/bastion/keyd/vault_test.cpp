// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/vault.h"

#include "bastion/keyd/private_key.h"
#include "shared/base/hex.h"
#include "shared/ssh/wire.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

#include <sys/stat.h>

using namespace sallyport;
using test::read_text;
using test::write_text;

namespace {

SecretBytes vault_key(uint8_t fill = 7) {
  return SecretBytes(std::vector<uint8_t>(32, fill));
}

Vault open_vault(const TestFolder& folder) {
  auto vault = Vault::open(folder / "vault", vault_key());
  REQUIRE(vault);
  return std::move(*vault);
}

std::vector<std::string> files_of(const TestFolder& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "vault")) {
    files.push_back(entry.path().string());
  }
  return files;
}

std::string only_file(const TestFolder& folder) {
  const auto files = files_of(folder);
  REQUIRE(files.size() == 1);
  return files[0];
}

}  // namespace

TEST_CASE("a key that was added is found, listed and opened again") {
  const TestFolder folder;
  const EvpKey key = generate_key(KeyType::ed25519);
  const auto added = open_vault(folder).add("web1", *key);
  REQUIRE(added);

  const Vault vault = open_vault(folder);
  const auto found = vault.find("web1");
  REQUIRE(found);
  CHECK(found->name == "web1");
  CHECK(found->public_key == *ssh_public_key(*key));
  CHECK(found->added_ms == added->added_ms);
  const auto listing = vault.list();
  REQUIRE(listing);
  CHECK(listing->keys.size() == 1);
  CHECK(listing->unreadable.empty());
  const auto opened = vault.private_key("web1");
  REQUIRE(opened);
  CHECK(EVP_PKEY_eq(opened->get(), key.get()) == 1);
}

TEST_CASE("keys of every kind survive the vault") {
  const TestFolder folder;
  Vault vault = open_vault(folder);
  for (const auto type : {KeyType::ed25519, KeyType::ecdsa_p256, KeyType::rsa_3072}) {
    const EvpKey key = generate_key(type);
    REQUIRE(vault.add("key", *key));
    CHECK(EVP_PKEY_eq(vault.private_key("key")->get(), key.get()) == 1);
    CHECK(vault.remove("key"));
  }
}

TEST_CASE("a name that exists is not replaced, and a removed one is gone") {
  const TestFolder folder;
  Vault vault = open_vault(folder);
  const EvpKey first = generate_key(KeyType::ed25519);
  REQUIRE(vault.add("web1", *first));
  const auto second = vault.add("web1", *generate_key(KeyType::ed25519));
  REQUIRE(!second);
  CHECK(second.error().message.find("already") != std::string::npos);
  CHECK(EVP_PKEY_eq(vault.private_key("web1")->get(), first.get()) == 1);

  REQUIRE(vault.remove("web1"));
  CHECK(vault.find("web1").error().code == Errc::not_found);
  CHECK(vault.private_key("web1").error().code == Errc::not_found);
  CHECK(vault.remove("web1").error().code == Errc::not_found);
  CHECK(files_of(folder).empty());
}

TEST_CASE("names that are not names never reach the disk") {
  const TestFolder folder;
  Vault vault = open_vault(folder);
  const EvpKey key = generate_key(KeyType::ed25519);
  for (const std::string name : {"", "../x", "a/b", ".hidden", "-f", "a b", "a\nb", "\xc3\xa4"}) {
    CHECK(!vault.add(name, *key));
    CHECK(!vault.find(name));
    CHECK(!vault.remove(name));
  }
  CHECK(files_of(folder).empty());
}

TEST_CASE("a vault file is private, and shows neither key nor name") {
  const TestFolder folder;
  const EvpKey key = generate_key(KeyType::ed25519);
  const auto added = open_vault(folder).add("a-name-to-look-for", *key);
  REQUIRE(added);
  struct stat info {};
  REQUIRE(::stat(only_file(folder).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(::stat((folder / "vault").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);

  uint8_t seed[32];
  size_t size = sizeof seed;
  REQUIRE(EVP_PKEY_get_raw_private_key(key.get(), seed, &size) == 1);
  const std::string bytes = read_text(only_file(folder));
  CHECK(bytes.find(as_text(seed)) == std::string::npos);
  CHECK(bytes.find("a-name-to-look-for") == std::string::npos);
  CHECK(bytes.find(as_text(std::span(added->public_key.blob).last(32))) == std::string::npos);
}

TEST_CASE("a vault file with any byte changed does not open") {
  const TestFolder folder;
  const Vault vault = [&] {
    Vault made = open_vault(folder);
    REQUIRE(made.add("web1", *generate_key(KeyType::ed25519)));
    return made;
  }();
  const std::string file = only_file(folder);
  const std::string good = read_text(file);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    write_text(file, bad);
    INFO("byte " << i);
    CHECK(vault.private_key("web1").error().code == Errc::corrupt);
  }
  write_text(file, good);
  CHECK(vault.private_key("web1"));
}

TEST_CASE("a vault file that was cut off or has a tail does not open") {
  const TestFolder folder;
  Vault vault = open_vault(folder);
  REQUIRE(vault.add("web1", *generate_key(KeyType::ed25519)));
  const std::string file = only_file(folder);
  const std::string good = read_text(file);
  for (size_t size = 0; size < good.size(); ++size) {
    write_text(file, good.substr(0, size));
    CHECK(vault.private_key("web1").error().code == Errc::corrupt);
  }
  write_text(file, good + "x");
  CHECK(vault.private_key("web1").error().code == Errc::corrupt);
}

TEST_CASE("a vault file under another key's name does not open") {
  const TestFolder folder;
  Vault vault = open_vault(folder);
  REQUIRE(vault.add("web1", *generate_key(KeyType::ed25519)));
  const std::string web1 = only_file(folder);
  REQUIRE(vault.add("db1", *generate_key(KeyType::ed25519)));
  auto files = files_of(folder);
  const std::string db1 = files[0] == web1 ? files[1] : files[0];
  write_text(db1, read_text(web1));
  CHECK(vault.find("db1").error().code == Errc::corrupt);
  CHECK(vault.private_key("db1").error().code == Errc::corrupt);
  CHECK(vault.private_key("web1"));
  CHECK(vault.list()->keys.size() == 1);
  CHECK(vault.list()->unreadable.size() == 1);
}

TEST_CASE("halves of two files of one name do not fit together") {
  const TestFolder folder;
  Vault vault = open_vault(folder);
  const auto add_and_read = [&] {
    REQUIRE(vault.add("web1", *generate_key(KeyType::ed25519)));
    return read_text(only_file(folder));
  };
  const std::string older = add_and_read();
  REQUIRE(vault.remove("web1"));
  const std::string newer = add_and_read();
  SshReader older_parts(as_bytes(older));
  SshReader newer_parts(as_bytes(newer));
  older_parts.string();
  const auto joined = SshWriter().string(newer_parts.string()).string(older_parts.string()).take();
  write_text(only_file(folder), std::string(as_text(joined)));
  CHECK(vault.find("web1"));
  CHECK(vault.private_key("web1").error().code == Errc::corrupt);
}

TEST_CASE("a file that cannot be read is not taken for one of another vault key") {
  const TestFolder folder;
  REQUIRE(open_vault(folder).add("web1", *generate_key(KeyType::ed25519)));
  const std::filesystem::path file = only_file(folder);
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  const auto vault = Vault::open(folder / "vault", vault_key(7));
  REQUIRE(!vault);
  CHECK(vault.error().message.find("Is a directory") != std::string::npos);
  CHECK(vault.error().message.find("another vault key") == std::string::npos);
}

TEST_CASE("another vault key opens nothing, and is refused at the start") {
  const TestFolder folder;
  REQUIRE(open_vault(folder).add("web1", *generate_key(KeyType::ed25519)));
  const auto vault = Vault::open(folder / "vault", vault_key(8));
  REQUIRE(!vault);
  CHECK(vault.error().message.find("vault key") != std::string::npos);
}

TEST_CASE("what a crash left behind does not disturb") {
  const TestFolder folder;
  Vault vault = open_vault(folder);
  REQUIRE(vault.add("web1", *generate_key(KeyType::ed25519)));
  const std::string file = only_file(folder);
  std::filesystem::rename(file, file + ".new");
  CHECK(open_vault(folder).list()->keys.empty());
  CHECK(vault.add("web1", *generate_key(KeyType::ed25519)));
  CHECK(files_of(folder).size() == 1);
}

TEST_CASE("a link or a fifo in a vault file's place is not followed") {
  const TestFolder folder;
  Vault vault = open_vault(folder);
  REQUIRE(vault.add("web1", *generate_key(KeyType::ed25519)));
  const std::string file = only_file(folder);
  std::filesystem::rename(file, folder / "elsewhere");
  std::filesystem::create_symlink(folder / "elsewhere", file);
  CHECK(!vault.private_key("web1"));
  std::filesystem::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK(!vault.private_key("web1"));
}
