// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/targets_file.h"

#include "shared/config/check.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <iterator>

using namespace sallyport;

namespace {

const std::string kMain =
    "// by hand\n"
    R"({"host_keys": ["k"], "identity": {"issuer": "https://i", "client_id": "c"},
        "recording": {"recipients": [
          "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"]},
        "targets": {"old": {"address": "o"}}})";
const std::string kHostKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL";

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t count_files(const std::string& folder) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

}  // namespace

TEST_CASE("targets are kept in a file of their own", "[ctl]") {
  const TestFolder folder;
  const auto main = folder.write("sallyport.json", kMain);
  {
    auto file = TargetsFile::open(folder.path());
    REQUIRE(file);
    file->targets()["web1"] = {"web1:2022", {kHostKey}, "k1"};
    REQUIRE(file->save());
  }
  CHECK(read(main) == kMain);
  const auto config = load_config(folder.path());
  REQUIRE(config);
  CHECK(config->targets.at("web1").address == "web1:2022");
  CHECK(config->targets.at("web1").host_keys == std::vector<std::string>{kHostKey});
  CHECK(config->targets.at("web1").key == "k1");
  CHECK(config->targets.contains("old"));
  CHECK(count_files(folder.path()) == 2);

  struct stat info {};
  REQUIRE(::stat((folder.path() + "/targets.json").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0644);
}

TEST_CASE("CAs and revoked keys are kept beside the targets", "[ctl]") {
  const TestFolder folder;
  folder.write("sallyport.json", kMain);
  for (const bool writing : {true, false}) {
    auto file = TargetsFile::open(folder.path());
    REQUIRE(file);
    if (writing) {
      file->targets()["web1"] = {"web1:2022", {}, "k1"};
      file->host_cas()["company"] = {{"*.example.com", "!old.example.com"}, kHostKey};
      file->revoked_host_keys().push_back(kHostKey);
    }
    CHECK(file->host_cas().at("company").patterns[1] == "!old.example.com");
    REQUIRE(file->save());
  }
  const auto report = check_config(folder.path());
  REQUIRE(report.config);
  CHECK(report.config->revoked_host_keys == std::vector<std::string>{kHostKey});
  CHECK(report.config->targets.at("web1").address == "web1:2022");
}

TEST_CASE("what would not load is not written", "[ctl]") {
  const TestFolder folder;
  folder.write("sallyport.json", kMain);
  auto file = TargetsFile::open(folder.path());
  REQUIRE(file);
  SECTION("a name that is no name") {
    file->targets()["../x"] = {"h", {}, ""};
  }
  SECTION("an address that is no address") {
    file->targets()["x"] = {"h:0", {}, ""};
  }
  SECTION("a target that another file has") {
    file->targets()["old"] = {"h", {}, ""};
  }
  const auto saved = file->save();
  REQUIRE_FALSE(saved);
  CHECK(saved.error().message.find("targets") != std::string::npos);
  CHECK(count_files(folder.path()) == 1);
}

TEST_CASE("a damaged targets.json is left alone", "[ctl]") {
  const TestFolder folder;
  folder.write("sallyport.json", kMain);
  for (const char* text : {"", "{", "[]", "{\"targets\": 1}", "{\"targets\": {\"x\": {}}}"}) {
    INFO(text);
    const auto path = folder.write("targets.json", text);
    CHECK_FALSE(TargetsFile::open(folder.path()));
    CHECK(read(path) == text);
  }
}

TEST_CASE("a single file has no targets.json", "[ctl]") {
  const TestFolder folder;
  const auto file = TargetsFile::open(folder.write("sallyport.json", kMain));
  REQUIRE_FALSE(file);
  CHECK(file.error().message.find("is a single file") != std::string::npos);
}

TEST_CASE("nobody else changes the targets meanwhile", "[ctl]") {
  const TestFolder folder;
  folder.write("sallyport.json", kMain);
  const auto try_lock = [&] {
    const UniqueFd fd(::open(folder.path().c_str(), O_RDONLY | O_CLOEXEC));
    return ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
  };
  {
    const auto file = TargetsFile::open(folder.path());
    REQUIRE(file);
    CHECK_FALSE(try_lock());
  }
  CHECK(try_lock());
}
