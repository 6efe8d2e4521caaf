// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex.h"
#include "shared/base/secret_bytes.h"
#include "shared/config/config.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

using namespace sallyport;

namespace {

const std::string kKey = "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100";
const std::string kOther(64, '7');

// What systemd does for a unit with LoadCredential=.
class Credentials {
public:
  explicit Credentials(const std::string& folder) {
    ::setenv("CREDENTIALS_DIRECTORY", folder.c_str(), 1);
  }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials() { ::unsetenv("CREDENTIALS_DIRECTORY"); }
};

}  // namespace

TEST_CASE("a key file is 64 hex digits, with or without a newline", "[config]") {
  const TestFolder folder;
  for (const char* end : {"", "\n"}) {
    const auto key = read_key_file(folder.write("k", kKey + end), "vault.key");
    REQUIRE(key);
    CHECK(to_hex(key->span()) ==
          "00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100");
  }
  for (const auto& wrong :
       {std::string(), kKey.substr(1), kKey + "0", kKey + "\n\n", "g" + kKey.substr(1),
        " " + kKey.substr(1), kKey.substr(0, 63) + "\n", kKey + "\r\n"}) {
    INFO(wrong);
    const auto key = read_key_file(folder.write("k", wrong), "vault.key");
    REQUIRE_FALSE(key);
    CHECK(key.error().message.find(kKey.substr(1, 30)) == std::string::npos);
  }
}

TEST_CASE("a key that others may read is refused", "[config]") {
  const TestFolder folder;
  CHECK(read_key_file(folder.write("k", kKey, 0400), "vault.key"));
  for (const mode_t mode : {0640U, 0604U, 0620U, 0660U}) {
    const auto key = read_key_file(folder.write("k", kKey, mode), "vault.key");
    REQUIRE_FALSE(key);
    CHECK(key.error().code == Errc::denied);
  }
}

TEST_CASE("a key is a regular file", "[config]") {
  const TestFolder folder;
  CHECK_FALSE(read_key_file(folder.path(), "vault.key"));
  CHECK_FALSE(read_key_file("/dev/zero", "vault.key"));
  CHECK_FALSE(read_key_file("", "vault.key"));
  const std::string fifo = folder.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_FALSE(read_key_file(fifo, "vault.key"));
}

TEST_CASE("a systemd credential goes before the file", "[config]") {
  const TestFolder folder;
  const TestFolder credentials;
  credentials.write("vault.key", kOther, 0440);
  const std::string file = folder.write("k", kKey);
  const Credentials given(credentials.path());
  CHECK(to_hex(read_key_file(file, "vault.key")->span()) == kOther);
  CHECK(to_hex(read_key_file("", "vault.key")->span()) == kOther);
  CHECK(to_hex(read_key_file(file, "seal.key")->span()) != kOther);
}
