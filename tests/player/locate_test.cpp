// SPDX-License-Identifier: Apache-2.0
#include "player/locate.h"

#include "player/settings.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace sallyport;
namespace fs = std::filesystem;

namespace {

const std::string kOne = "0123456789abcdef0123456789abcdef";
const std::string kTwo = "0123457000000000000000000000000a";

std::string error_of(const Result<std::string>& result) {
  return result ? "" : result.error().message;
}

}  // namespace

TEST_CASE("a prefix of one recording finds it") {
  const TestFolder folder;
  folder.write(kOne + "-0.brec", "");
  folder.write(kTwo + "-0.brec", "");
  folder.write("notes.txt", "");
  const auto found = locate_recording("0123456", folder.path());
  REQUIRE(found);
  CHECK(*found == folder.path() + "/" + kOne + "-0.brec");
  CHECK(locate_recording("0123456789ABCDEF", folder.path()));
}

TEST_CASE("what is ambiguous is listed with what to type") {
  const TestFolder folder;
  folder.write(kOne + "-0.brec", "");
  folder.write(kOne + "-1.brec", "");
  CHECK(error_of(locate_recording("012345", folder.path())) ==
        "this session has several channels; name one of them:\n  01234567-0\n  01234567-1");
  CHECK(locate_recording("012345-1", folder.path()));
  folder.write(kTwo + "-0.brec", "");
  CHECK(error_of(locate_recording("012345", folder.path())).starts_with("several sessions"));
}

TEST_CASE("what was typed is another recording of the channel, with a k") {
  const TestFolder folder;
  folder.write(kOne + "-0.brec", "");
  folder.write(kOne + "-0k.brec", "");
  const std::string typed = folder.path() + "/" + kOne + "-0k.brec";
  CHECK(*locate_recording("0123456", folder.path()) == folder.path() + "/" + kOne + "-0.brec");
  CHECK(*locate_recording("0123456k", folder.path()) == typed);
  CHECK(*locate_recording("0123456-0k", folder.path()) == typed);
  CHECK(error_of(locate_recording("0123456-1k", folder.path())).starts_with("no recording in"));
  CHECK(*all_recordings(folder.path(), RecordingPart::keystrokes) ==
        std::vector<std::string>{typed});
  folder.write(kOne + "-1k.brec", "");
  CHECK(error_of(locate_recording("012345k", folder.path())) ==
        "this session has several channels; name one of them:\n  01234567-0k\n  01234567-1k");
}

TEST_CASE("what is no id and no file is said to be neither") {
  const TestFolder folder;
  CHECK(error_of(locate_recording("01234", folder.path())).find("neither") != std::string::npos);
  CHECK(error_of(locate_recording("../no/such", folder.path())).find("neither") !=
        std::string::npos);
  CHECK(error_of(locate_recording("0123456-x", folder.path())).find("neither") !=
        std::string::npos);
  CHECK(error_of(locate_recording("\x1b[2Jx", folder.path())).find('\x1b') == std::string::npos);
  CHECK(error_of(locate_recording("abcdef", folder.path())).starts_with("no recording in"));
  CHECK(error_of(locate_recording("abcdef", "/nonexistent")).find("--recordings") !=
        std::string::npos);
}

TEST_CASE("settings come from options, environment, file, in this order") {
  const TestFolder folder;
  fs::create_directory(folder.path() + "/sallyport");
  ::setenv("XDG_CONFIG_HOME", folder.path().c_str(), 1);
  ::unsetenv("SALLYPORT_RECORDINGS");
  CHECK(read_settings({})->recordings == "/var/lib/sallyport/stored/recordings");
  folder.write("sallyport/play.json",
               "{ // a comment\n \"recordings\": \"/file\", \"identity\": \"/id\","
               " \"log\": \"/l\", \"log_key\": \"k\" }");
  CHECK(read_settings({})->recordings == "/file");
  CHECK(read_settings({})->log == "/l");
  CHECK(read_settings({})->log_key == "k");
  CHECK(read_settings({})->identities == std::vector<std::string>{"/id"});
  ::setenv("SALLYPORT_RECORDINGS", "/environment", 1);
  CHECK(read_settings({})->recordings == "/environment");
  const SettingsOptions options{"/option", {"/mine"}, "/log", "key"};
  CHECK(read_settings(options)->recordings == "/option");
  CHECK(read_settings(options)->log == "/log");
  CHECK(read_settings(options)->log_key == "key");
  CHECK(read_settings(options)->identities == std::vector<std::string>{"/mine"});
  folder.write("sallyport/play.json", "{\"identity\": [\"/one\", \"/two\"]}");
  CHECK(read_settings({})->identities == std::vector<std::string>{"/one", "/two"});
  folder.write("sallyport/play.json", "{\"identity\": [\"/one\", 2]}");
  CHECK_FALSE(read_settings({}));
  folder.write("sallyport/play.json", "{\"recording\": \"/x\"}");
  CHECK(read_settings({}).error().message.find("\"recording\" is not a setting") !=
        std::string::npos);
  ::unsetenv("SALLYPORT_RECORDINGS");
  ::unsetenv("XDG_CONFIG_HOME");
}
