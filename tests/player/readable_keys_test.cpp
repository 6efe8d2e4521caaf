// SPDX-License-Identifier: Apache-2.0
#include "player/readable_keys.h"

#include "tests/support/catch.h"

using namespace sallyport;

TEST_CASE("keys are named, text is text") {
  CHECK(readable_keys("ls -l\r") == "ls -l\u2039Enter\u203a\r\n");
  CHECK(readable_keys("\x1b[A\x1bOB\x1b[3~") == "\u2039Up\u203a\u2039Down\u203a\u2039Delete\u203a");
  CHECK(readable_keys("a\tb\x7f\x01") ==
        "a\u2039Tab\u203a"
        "b\u2039Backspace\u203a\u2039Ctrl-A\u203a");
  CHECK(readable_keys("\x03") == "\u2039Ctrl-C\u203a\r\n");
  CHECK(readable_keys("\x1b.") == "\u2039Alt-.\u203a");
  CHECK(readable_keys("\x1b[1;5C") == "\u2039Esc [1;5C\u203a");
  CHECK(readable_keys("caf\u00e9") == "caf\u00e9");
}

TEST_CASE("no key controls the terminal that shows it") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  all +=
      "\x1b]0;title\x07\x1b[\x1b[2J\x1b\xc2\x9b"
      "2J\u202e";
  const std::string shown = readable_keys(all);
  for (const char c : shown) {
    CHECK((static_cast<unsigned char>(c) >= 0x20 || c == '\r' || c == '\n'));
    CHECK(c != '\x7f');
  }
  CHECK(shown.find("\xc2\x9b") == std::string::npos);
  CHECK(shown.find("\u202e") == std::string::npos);
}
