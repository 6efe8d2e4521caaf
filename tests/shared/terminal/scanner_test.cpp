// SPDX-License-Identifier: Apache-2.0
#include "shared/terminal/scanner.h"

#include "tests/shared/terminal/safe_output.h"
#include "tests/support/catch.h"

#include <filesystem>
#include <fstream>
#include <string>

using namespace sallyport;
using namespace std::string_literals;

namespace {

std::string scan(std::string_view bytes) {
  Scanner scanner;
  std::string out;
  scanner.feed(bytes, [&](std::string_view safe) { out += safe; });
  return out;
}

std::string scan_bytewise(std::string_view bytes) {
  Scanner scanner;
  std::string out;
  for (const char c : bytes) {
    scanner.feed({&c, 1}, [&](std::string_view safe) { out += safe; });
  }
  return out;
}

std::string repeated(std::string_view what, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) {
    out += what;
  }
  return out;
}

}  // namespace

TEST_CASE("text and layout controls pass") {
  CHECK(scan("a\tb\r\nc\bd") == "a\tb\r\nc\bd");
}

TEST_CASE("other controls are dropped") {
  CHECK(scan("a\x05"
             "b\x07"
             "c\x7f"
             "d\0e"s) == "abcde");
}

TEST_CASE("DECALN draws once in 4 KiB and wipes in between") {
  const std::string pattern = "\x1b#8";
  const std::string wipe = "\x1b[2J";
  const std::string some(4096, 'x');
  CHECK(scan(pattern + pattern + some + pattern) == wipe + pattern + wipe + some + wipe + pattern);
  CHECK(scan_bytewise(pattern + "x" + pattern) == wipe + pattern + "x" + wipe);
}

TEST_CASE("UTF-8 passes whole, however it is cut") {
  const std::string text = "h\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80 x";
  CHECK(scan(text) == text);
  CHECK(scan_bytewise(text) == text);
}

TEST_CASE("each write holds complete characters") {
  std::string text = "x";
  text += repeated("\xe6\x97\xa5", 5000);
  Scanner scanner;
  scanner.feed(text, [](std::string_view safe) { CHECK(what_libvterm_cannot_hold(safe) == ""); });
}

TEST_CASE("invalid bytes become U+FFFD") {
  CHECK(scan("a\xff"
             "b") ==
        "a\xef\xbf\xbd"
        "b");
  CHECK(scan("a\xe6\x97"
             "b") ==
        "a\xef\xbf\xbd"
        "b");
  CHECK(scan_bytewise("a\xe6\x97"
                      "b") ==
        "a\xef\xbf\xbd"
        "b");
  CHECK(scan("\xc0\xaf") == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(scan("\xed\xa0\x80").find("\xed\xa0") == std::string::npos);
}

TEST_CASE("a C1 character is no control and stays visible") {
  CHECK(scan("\xc2\x9b"
             "5n") ==
        "\xef\xbf\xbd"
        "5n");
}

TEST_CASE("an escape inside a broken character still begins a sequence") {
  CHECK(scan("\xe6\x97\x1b[1mx") == "\xef\xbf\xbd\x1b[1mx");
}

TEST_CASE("cursor movements pass with the parameters they have") {
  CHECK(scan("\x1b[H\x1b[3;4H\x1b[;7f\x1b[2A\x1b[5;9r") ==
        "\x1b[H\x1b[3;4H\x1b[;7f\x1b[2A\x1b[5;9r");
  CHECK(scan("\x1b[1;2;3;4H") == "\x1b[1;2H");
}

TEST_CASE("numbers are held to four digits") {
  CHECK(scan("\x1b[99999999999999999999;1H") == "\x1b[9999;1H");
}

TEST_CASE("seventeen and more parameters do not pass") {
  for (const size_t count : {15U, 16U, 17U, 18U, 33U, 200U, 50000U}) {
    const std::string list = repeated("1;", count - 1) + "1";
    for (const char final : {'m', 'H', 'A', 'r', 'h', 'J', 'x'}) {
      const std::string out = scan("\x1b[" + list + final);
      CHECK(what_libvterm_cannot_hold(out) == "");
    }
    CHECK(what_libvterm_cannot_hold(scan("\x1b[?" + list + "h")) == "");
    CHECK(what_libvterm_cannot_hold(scan("\x1b[" + repeated(":1", count) + "m")) == "");
  }
}

TEST_CASE("a long SGR becomes several, colours in one piece") {
  const std::string out = scan("\x1b[1;3;4;5;7;9;38;2;1;2;3;48;2;4;5;6;1m");
  CHECK(out == "\x1b[1;3;4;5;7;9;38;2;1;2;3m\x1b[48;2;4;5;6;1m");
}

TEST_CASE("SGR colours come out in one form") {
  CHECK(scan("\x1b[38:2::10:20:30m") == "\x1b[38;2;10;20;30m");
  CHECK(scan("\x1b[48:2:10:20:30m") == "\x1b[48;2;10;20;30m");
  CHECK(scan("\x1b[38:5:200m") == "\x1b[38;5;200m");
  CHECK(scan("\x1b[38;5;900m") == "\x1b[38;5;255m");
  CHECK(scan("\x1b[58;2;1;5;7;1m") == "\x1b[1m");
  CHECK(scan("\x1b[m") == "\x1b[0m");
  CHECK(scan("\x1b[38m\x1b[38;2;1m\x1b[48:2m").find("38") == std::string::npos);
}

TEST_CASE("faint travels as a font, concealed text stays visible") {
  CHECK(scan("\x1b[2m\x1b[22m\x1b[8m") == "\x1b[11m\x1b[22;10m");
  CHECK(scan("\x1b[4:3m\x1b[4:0m") == "\x1b[4m\x1b[24m");
}

TEST_CASE("strings are swallowed, whole and cut") {
  for (const std::string kind : {"]0;", "P$q", "_G", "^", "X", "k"}) {
    const std::string input = "a\x1b" + kind + "secret\x1b\\b";
    CHECK(scan(input) == "ab");
    CHECK(scan_bytewise(input) == "ab");
  }
  CHECK(scan("a\x1b]0;t\x07"
             "b") == "ab");
  CHECK(scan("a\x1bPt\x07"
             "b\x1b\\c") == "ac");
}

TEST_CASE("an escape ends a string and begins a sequence") {
  CHECK(scan("\x1b]0;t\x1b[1mx") == "\x1b[1mx");
}

TEST_CASE("a string that never ends stops hiding what follows") {
  const std::string out = scan("\x1b]" + std::string(5 * 1024 * 1024, 'A'));
  CHECK(out.size() > 1000 * 1000);
  CHECK(scan("\x1b]" + std::string(70000, 'A')).empty());
}

TEST_CASE("queries and window operations do not pass") {
  CHECK(scan("\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[21t\x1b[8;1;1t\x1b[x").empty());
  CHECK(scan("\x1bZ\x1b[1;1;1;1;1;1*y\x1b[0;1'|\x1b[?1$p\x1b[>q").empty());
}

TEST_CASE("REP is expanded to a line at most") {
  CHECK(scan("\x1b[5b").empty());
  CHECK(scan("x\x1b[3b") == "xxxx");
  CHECK(scan("\xe6\x97\xa5\x1b[2b") == repeated("\xe6\x97\xa5", 3));
  CHECK(scan("x\x1b[9999b").size() == 501);
}

TEST_CASE("the graphics set is translated, never designated") {
  CHECK(scan("\x1b(0lqk\x1b(Bq") == "\xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90q");
  CHECK(scan("\x1b)0q\x0eq\x0fq") == "q\xe2\x94\x80q");
  CHECK(scan("\x1b(%5x\x1b%Gx\x1b(Zx") == "xxx");
  CHECK(scan("\x1b(0\x1b"
             "cq") ==
        "\x1b[?1047l\x1b[?5l\x1b"
        "cq");
}

TEST_CASE("modes pass one at a time, and only known ones") {
  CHECK(scan("\x1b[?25;2004;1000;7l") == "\x1b[?25l\x1b[?7l");
  CHECK(scan("\x1b[?47h") == "\x1b[?1047h");
  CHECK(scan("\x1b[?3h\x1b[?40h\x1b[2h").empty());
  CHECK(scan("\x1b[4h\x1b[20l") == "\x1b[4h\x1b[20l");
}

TEST_CASE("CSI s saves the cursor unless margins are on") {
  CHECK(scan("\x1b[s\x1b[u") ==
        "\x1b"
        "7\x1b"
        "8");
  CHECK(scan("\x1b[1;5s").empty());
  CHECK(scan("\x1b[?69h\x1b[1;5s") == "\x1b[?69h\x1b[1;5s");
}

TEST_CASE("a cancelled or malformed sequence leaves nothing behind") {
  CHECK(scan("\x1b[12\x18x") == "x");
  CHECK(scan("\x1b[1 2Ax\x1b[1?2hy\x1b[ !pz") == "xyz");
  CHECK(scan("\x1b[1\x1b[2mx") == "\x1b[11mx");
  CHECK(scan("\x1b[1\r2A") == "\r\x1b[12A");
}

TEST_CASE("every hostile file comes out safe, whole and bytewise alike") {
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(SALLYPORT_TEST_DATA "/hostile-output")) {
    if (entry.path().extension() != ".bin") {
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    INFO(entry.path());
    const std::string out = scan(bytes);
    CHECK(what_libvterm_cannot_hold(out) == "");
    CHECK(out == scan_bytewise(bytes));
    ++files;
  }
  CHECK(files >= 34);
}
