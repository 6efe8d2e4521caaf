// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/program.h"
#include "bastion/ctl/terminal.h"
#include "bastion/ctl/unique_prefix.h"
#include "bastion/ctl/when.h"
#include "tests/support/catch.h"

using namespace sallyport;

TEST_CASE("a name is found by its beginning when only one has it", "[ctl]") {
  const std::vector<std::string> names = {"abcd1111", "abcd2222", "eeee0000"};
  const auto find = [&](const std::string& prefix) {
    return find_unique_prefix(prefix, names, "session", "list");
  };
  CHECK(*find("eeee") == 2);
  CHECK(*find("abcd2") == 1);
  CHECK(*find("abcd1111") == 0);
  CHECK(find("abcd").error().message == "several begin with \"abcd\"; give more of the name");
  CHECK(find("eee").error().code == Errc::invalid);
  CHECK(find("").error().code == Errc::invalid);
  CHECK(find("eeee0001").error().message ==
        "there is no session \"eeee0001\"; did you mean \"eeee0000\"?; `list` shows them");
}

TEST_CASE("a program gets its arguments as they are, without a shell", "[ctl]") {
  const auto echo = run_program({"printf", "%s|", "$HOME", "a b", "; exit 3"}, "coreutils");
  REQUIRE(echo);
  CHECK(echo->status == 0);
  CHECK(echo->output == "$HOME|a b|; exit 3|");
  CHECK(run_program({"false"}, "coreutils")->status == 1);
  const auto none = run_program({"no-such-program-here"}, "the-package");
  REQUIRE_FALSE(none);
  CHECK(none.error().message.find("install the package the-package") != std::string::npos);
}

TEST_CASE("times are shown in UTC", "[ctl]") {
  CHECK(utc_time(0) == "-");
  CHECK(utc_time(1'700'000'000'123) == "2023-11-14T22:13:20Z");
  CHECK_FALSE(utc_time(UINT64_MAX).empty());
}

TEST_CASE("a moment is a day, a time or how long ago, and a day that exists", "[ctl]") {
  constexpr uint64_t kNow = 1'700'000'000'000;
  CHECK(*parse_when("2026-02-28", kNow) == 1'772'236'800'000);
  CHECK(*parse_when("2024-02-29T12:00Z", kNow) == 1'709'208'000'000);
  CHECK(*parse_when("90m", kNow) == kNow - 5'400'000);
  for (const char* none : {"2026-02-31", "2026-02-29", "2026-04-31T12:00", "2026-13-01", "", "7",
                           "2026-02-28T24:00", "1969-12-31", "99999999d"}) {
    INFO(none);
    CHECK_FALSE(parse_when(none, kNow));
  }
}
