// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/remembered_keys.h"

#include "bastion/authd/fingerprint.h"
#include "bastion/authd/key_owner.h"
#include "shared/base/hex.h"
#include "shared/base/id.h"
#include "shared/crypto/hkdf.h"
#include "shared/crypto/sealed.h"
#include "shared/crypto/sha256.h"
#include "shared/ipc/codec.h"
#include "shared/sqlite/statement.h"
#include "tests/support/catch.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sallyport;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("keys-" + Id::random().hex())) {
    fs::create_directory(path);
  }
  ~Folder() { fs::remove_all(path); }
  std::string file() const { return path / "keys.sqlite"; }
  fs::path path;
};

SecretBytes seal_key(uint8_t byte = 7) {
  return SecretBytes(std::vector<uint8_t>(32, byte));
}

RememberedKeys open_keys(const Folder& folder, const SecretBytes& key = seal_key()) {
  auto keys = RememberedKeys::open(folder.file(), key);
  REQUIRE(keys);
  return std::move(*keys);
}

RememberedKey alices() {
  RememberedKey key;
  key.fingerprint = "SHA256:canaryFingerprintAbcdefghijklmnopqrstuvwxyz0";
  key.issuer = "https://canary-issuer.example";
  key.subject = "canary-subject";
  key.person = "canary-alice@example.com";
  key.groups = {"canary-group", "ssh-users"};
  key.claims = R"({"sub":"canary-subject","x":"canary-claim"})";
  key.address = "203.0.113.77";
  key.since_ms = 1000;
  key.until_ms = 2000;
  key.mapping = "canary-mapping";
  return key;
}

std::string all_bytes(const fs::path& folder) {
  std::ostringstream all;
  for (const auto& entry : fs::directory_iterator(folder)) {
    all << std::ifstream(entry.path(), std::ios::binary).rdbuf();
  }
  return all.str();
}

}  // namespace

TEST_CASE("a remembered key is found again after a restart, with all that was said") {
  const Folder folder;
  REQUIRE(open_keys(folder).put(alices()));
  auto keys = open_keys(folder);
  const auto found = keys.find(alices().fingerprint);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK(**found == alices());
  CHECK_FALSE(*keys.find("SHA256:another"));
}

TEST_CASE("putting a key again replaces it") {
  const Folder folder;
  auto keys = open_keys(folder);
  REQUIRE(keys.put(alices()));
  RememberedKey later = alices();
  later.since_ms = 5000;
  REQUIRE(keys.put(later));
  REQUIRE(keys.list()->keys.size() == 1);
  CHECK(keys.list()->keys.front().since_ms == 5000);
}

TEST_CASE("a removed key is gone, and says so") {
  const Folder folder;
  auto keys = open_keys(folder);
  REQUIRE(keys.put(alices()));
  CHECK(*keys.remove(alices().fingerprint));
  CHECK_FALSE(*keys.find(alices().fingerprint));
  CHECK_FALSE(*keys.remove(alices().fingerprint));
}

TEST_CASE("a removed key whose row cannot be deleted is refused until that succeeds") {
  const Folder folder;
  auto keys = open_keys(folder);
  REQUIRE(keys.put(alices()));
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &raw) == SQLITE_OK);
  const Handle<sqlite3, sqlite3_close_v2> database(raw);
  REQUIRE(Statement(raw,
                    "CREATE TRIGGER no_deletions BEFORE DELETE ON remembered "
                    "BEGIN SELECT RAISE(ABORT, 'disk full'); END")
              .run());
  CHECK(keys.remove(alices().fingerprint).error().message.find("disk full") != std::string::npos);
  CHECK(keys.find(alices().fingerprint).error().code == Errc::denied);
  CHECK(keys.put(alices()).error().code == Errc::denied);
  REQUIRE(Statement(raw, "DROP TRIGGER no_deletions").run());
  CHECK_FALSE(*keys.find(alices().fingerprint));
  CHECK(keys.put(alices()));
}

TEST_CASE("nothing of a remembered key stands in its files in clear") {
  const Folder folder;
  auto keys = open_keys(folder);
  REQUIRE(keys.put(alices()));
  const std::string bytes = all_bytes(folder.path);
  REQUIRE(bytes.size() > 4096);
  CHECK(bytes.find("canary") == std::string::npos);
  CHECK(bytes.find("SHA256:") == std::string::npos);
  CHECK(bytes.find("203.0.113.77") == std::string::npos);
  CHECK(bytes.find("ssh-users") == std::string::npos);
}

TEST_CASE("the files are for their owner alone") {
  const Folder folder;
  auto keys = open_keys(folder);
  REQUIRE(keys.put(alices()));
  for (const auto& entry : fs::directory_iterator(folder.path)) {
    struct stat status {};
    REQUIRE(::stat(entry.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0077) == 0);
  }
}

TEST_CASE("another seal key is an error, not an empty table") {
  const Folder folder;
  REQUIRE(open_keys(folder).put(alices()));
  const auto keys = RememberedKeys::open(folder.file(), seal_key(8));
  REQUIRE_FALSE(keys);
  CHECK(keys.error().code == Errc::corrupt);
}

TEST_CASE("a row that was moved to another key's place does not open") {
  const Folder folder;
  RememberedKey bobs = alices();
  bobs.fingerprint = "SHA256:bobs";
  {
    auto keys = open_keys(folder);
    REQUIRE(keys.put(alices()));
    REQUIRE(keys.put(bobs));
  }
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &raw) == SQLITE_OK);
  const Handle<sqlite3, sqlite3_close_v2> database(raw);
  // Both rows get the first one's content: right for one of them.
  REQUIRE(
      Statement(raw, "UPDATE remembered SET sealed = (SELECT min(sealed) FROM remembered)").run());
  auto keys = open_keys(folder);
  const auto alice = keys.find(alices().fingerprint);
  const auto bob = keys.find(bobs.fingerprint);
  REQUIRE(alice.has_value() != bob.has_value());
  CHECK((alice ? bob : alice).error().code == Errc::corrupt);
  CHECK(keys.list()->keys.size() == 1);
  CHECK(keys.list()->unreadable == 1);
}

TEST_CASE("a row of version 1 is read, without the mapping that it did not keep") {
  const Folder folder;
  RememberedKey old = alices();
  const SecretBytes lookup =
      derive_key(seal_key().span(), {}, "sallyport remembered keys: lookup/1");
  const SecretBytes seal = derive_key(seal_key().span(), {}, "sallyport remembered keys: seal/1");
  const auto mac = hmac_sha256(lookup.span(), as_bytes(old.fingerprint));
  std::vector<uint8_t> record;
  FieldWriter writer(record);
  uint8_t version = 1;
  writer(version);
  old.fields_of_version_1(writer);
  const auto sealed = seal_bytes(seal.span(), "remembered key " + to_hex(mac), record);
  open_keys(folder);
  {
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open(folder.file().c_str(), &raw) == SQLITE_OK);
    const Handle<sqlite3, sqlite3_close_v2> database(raw);
    REQUIRE(Statement(raw, "INSERT INTO remembered VALUES (?, ?)")
                .bind_blob(as_text(mac))
                .bind_blob(as_text(sealed))
                .run());
    REQUIRE(Statement(raw, "PRAGMA user_version=1").run());
  }
  auto keys = open_keys(folder);
  old.mapping.clear();
  const auto found = keys.find(old.fingerprint);
  REQUIRE(found);
  CHECK(*found == old);
}

TEST_CASE("a file of a newer version is refused") {
  const Folder folder;
  REQUIRE(open_keys(folder).put(alices()));
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &raw) == SQLITE_OK);
  const Handle<sqlite3, sqlite3_close_v2> database(raw);
  REQUIRE(Statement(raw, "PRAGMA user_version=99").run());
  const auto keys = RememberedKeys::open(folder.file(), seal_key());
  REQUIRE_FALSE(keys);
  CHECK(keys.error().message.find("newer") != std::string::npos);
}

TEST_CASE("a key belongs to the issuer and subject that logged in with it") {
  Person person;
  person.issuer = alices().issuer;
  person.subject = alices().subject;
  CHECK(is_owner(alices(), person));
  person.issuer = "https://other.example";
  CHECK_FALSE(is_owner(alices(), person));
  person.issuer = alices().issuer;
  person.subject = "bob";
  person.name = alices().person;
  CHECK_FALSE(is_owner(alices(), person));
}

TEST_CASE("a registered key belongs to the name or subject it was registered for") {
  RememberedKey key;
  Person person;
  person.subject = "s1";
  person.name = "alice@example.com";
  CHECK_FALSE(is_owner(key, person));
  key.registered_for = "alice@example.com";
  CHECK(is_owner(key, person));
  key.registered_for = "subject:s1";
  CHECK(is_owner(key, person));
  key.registered_for = "subject:s2";
  CHECK_FALSE(is_owner(key, person));
}

TEST_CASE("a fingerprint is the one that ssh-keygen shows") {
  const std::string line =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl "
      "github.com";
  const auto fingerprint = fingerprint_of_line(line);
  REQUIRE(fingerprint);
  CHECK(*fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
  CHECK(short_fingerprint(*fingerprint, "...") == "SHA256:+D...qU");
}

TEST_CASE("what is no public key line is refused") {
  for (const char* line :
       {"", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 !!!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9",
        "no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
        "-----BEGIN OPENSSH PRIVATE KEY-----"}) {
    CHECK_FALSE(fingerprint_of_line(line));
  }
}
