// SPDX-License-Identifier: Apache-2.0
//
// What is known of a bastion whose configuration somebody has broken since it started.
#include "shared/config/check.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

using namespace sallyport;

namespace {

ConfigReport check(const std::string& text) {
  return check_config_text("/etc/x/f.json", text);
}

}  // namespace

TEST_CASE("with errors it is still known where the bastion runs", "[config]") {
  const auto wrong = check(R"({"runtime_directory": "run", "node": "b", "lisen": 1})");
  REQUIRE_FALSE(wrong.config);
  REQUIRE(wrong.with_errors);
  CHECK(wrong.with_errors->socket_path("authd") == "/etc/x/run/authd/socket");
  CHECK(wrong.with_errors->path == "/etc/x/f.json");
  const auto twice = check(R"({"state_directory": "/a", "node": "a", "node": "b"})");
  REQUIRE(twice.with_errors);
  CHECK(twice.with_errors->log_path() == "/a/stored/log");
  CHECK(twice.errors.size() == 1);
}

TEST_CASE("what is no JSON does not say where the bastion runs, another file may", "[config]") {
  CHECK_FALSE(check(R"({"runtime_directory": "/r",)").with_errors);
  CHECK_FALSE(check("[]").with_errors);
  const TestFolder folder;
  folder.write("a.json", R"({"roles": {)");
  CHECK_FALSE(check_config(folder.path()).with_errors);
  folder.write("b.json", R"({"node": "b"})");
  CHECK_FALSE(check_config(folder.path()).with_errors);
  folder.write("c.json", R"({"runtime_directory": "/r"})");
  const auto report = check_config(folder.path());
  CHECK(report.errors.size() == 1);
  REQUIRE(report.with_errors);
  CHECK(report.with_errors->runtime_directory == "/r");
}
