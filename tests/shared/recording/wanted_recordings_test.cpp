// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/wanted_recordings.h"

#include "tests/support/catch.h"

#include <utility>

using namespace sallyport;

TEST_CASE("recordings are named by a session's first digits, a channel, and k", "[recording]") {
  const Id session = *Id::from_hex("b597f2" + std::string(26, '0'));
  const RecordingName shown{session, 0};
  const RecordingName typed{session, 0, RecordingPart::keystrokes};
  const RecordingName other{session, 1};
  const auto which = [&](const std::string& text) {
    std::string out;
    for (const auto& [name, letter] : {std::pair(shown, 's'), {typed, 't'}, {other, 'o'}}) {
      out += parse_wanted_recordings(text)->has(name) ? std::string(1, letter) : "";
    }
    return out;
  };
  CHECK(which("b597f2") == "sto");
  CHECK(which("B597F20") == "sto");
  CHECK(which("b597f2k") == "t");
  CHECK(which("b597f2-0") == "s");
  CHECK(which("b597f2-0k") == "t");
  CHECK(which("b597f2-1") == "o");
  CHECK(which("b597f3").empty());
  CHECK(*parse_wanted_recordings(recording_id(typed))->only() == typed);
  CHECK_FALSE(parse_wanted_recordings("b597f2-0")->only());
  CHECK_FALSE(parse_wanted_recordings(session.hex())->only());
}

TEST_CASE("what is no recording's id says why", "[recording]") {
  for (const char* text : {"b597", "b597k", "b597f-0", "", "k", "-0"}) {
    INFO(text);
    CHECK(parse_wanted_recordings(text).error().message.find("at least 6 digits") !=
          std::string::npos);
  }
  for (const char* text : {"hello!", "b597f2-", "b597f2-x", "b597f2-0kk", "b597f2-0-1"}) {
    INFO(text);
    CHECK(parse_wanted_recordings(text).error().message.find("is no recording's id") !=
          std::string::npos);
  }
  CHECK_FALSE(parse_wanted_recordings(std::string(33, 'a')));
}
