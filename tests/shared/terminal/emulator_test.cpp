// SPDX-License-Identifier: Apache-2.0
#include "shared/terminal/emulator.h"

#include "tests/support/catch.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace sallyport;

namespace {

std::string screen(const Emulator& e) {
  std::string out;
  for (int i = 0; i < e.grid().rows(); ++i) {
    out += e.grid().row_text(i) + "\n";
  }
  return out.substr(0, out.find_last_not_of('\n') + 1);
}

std::string after(std::string_view bytes, int columns = 10, int rows = 4) {
  Emulator e(columns, rows);
  e.feed(bytes);
  return screen(e);
}

Style style_of(std::string_view bytes) {
  Emulator e(10, 4);
  e.feed(bytes);
  return e.grid().row(0)[0].style;
}

std::string numbered(int lines) {
  std::string out;
  for (int i = 0; i < lines; ++i) {
    out += "l" + std::to_string(i) + "\r\n";
  }
  return out;
}

}  // namespace

TEST_CASE("text lands where the cursor is") {
  CHECK(after("ab\r\n\x1b[3;3Hx") == "ab\n\n  x");
}

TEST_CASE("colours and attributes are kept as asked") {
  CHECK(style_of("\x1b[31;1mx").foreground == Color::indexed(1));
  CHECK(style_of("\x1b[31;1mx").attributes == attribute::kBold);
  CHECK(style_of("\x1b[97mx").foreground == Color::indexed(15));
  CHECK(style_of("\x1b[38;5;200;48;2;1;2;3mx").foreground == Color::indexed(200));
  CHECK(style_of("\x1b[38;5;200;48;2;1;2;3mx").background == Color::rgb(1, 2, 3));
  CHECK(style_of("\x1b[2;3;4;7;9mx").attributes ==
        (attribute::kFaint | attribute::kItalic | attribute::kUnderline | attribute::kReverse |
         attribute::kStrike));
  CHECK(style_of("\x1b[2m\x1b[22mx").attributes == 0);
  CHECK(style_of("\x1b[31mx\x1b[39m\x1b[Hy") == Style{});
}

TEST_CASE("restoring a cursor that was never saved gives the standard colours") {
  CHECK(style_of("\x1b"
                 "8x") == Style{});
}

TEST_CASE("wide characters take two cells and are never halved") {
  CHECK(after("\xe6\x97\xa5x") == "\xe6\x97\xa5x");
  Emulator e(10, 4);
  e.feed("\xe6\x97\xa5");
  CHECK(e.grid().row(0)[0].width == 2);
  CHECK(e.grid().row(0)[1].width == 0);
  e.feed("\x1b[1;2Hy");
  CHECK(screen(e) == " y");
}

TEST_CASE("combining characters join their base, five code points at most") {
  Emulator e(10, 4);
  e.feed("e\xcc\x81");
  CHECK(e.grid().row(0)[0].text[1] == U'\u0301');
  for (int i = 0; i < 300000; ++i) {
    e.feed("\xcc\x81");
  }
  CHECK(e.grid().row(0)[0].text[4] == U'\u0301');
  CHECK(screen(e).size() == 9);
}

TEST_CASE("the alternate screen leaves the main one as it was") {
  Emulator e(10, 4);
  e.feed("main\x1b[?1049h\x1b[Hother");
  CHECK(e.grid().is_alternate());
  CHECK(screen(e) == "other");
  e.feed("\x1b[?1049l!");
  CHECK_FALSE(e.grid().is_alternate());
  CHECK(screen(e) == "main!");
}

TEST_CASE("lines are kept as they scroll off, wrapped ones joined") {
  Emulator e(4, 2);
  e.grid().keep_lines(true);
  e.feed("abcdefgh\r\nx\r\ny\r\nz");
  CHECK(e.grid().take_lines() == std::vector<std::string>{"abcdefgh", "x"});
  CHECK(screen(e) == "y\nz");
}

TEST_CASE("a wide character that does not fit still wraps the line") {
  Emulator e(4, 2);
  e.grid().keep_lines(true);
  e.feed("abc\xe6\x97\xa5\r\nx\r\ny");
  CHECK(e.grid().take_lines() == std::vector<std::string>{"abc\xe6\x97\xa5"});
}

TEST_CASE("what a clear wipes away is kept") {
  Emulator e(10, 4);
  e.grid().keep_lines(true);
  e.feed("seen\x1b[2J\x1b[Hnow");
  CHECK(e.grid().take_lines() == std::vector<std::string>{"seen"});
}

TEST_CASE("patterns that are wiped again do not flood the kept lines") {
  Emulator e(200, 60);
  e.grid().keep_lines(true);
  std::string flood;
  while (flood.size() < 32768) {
    flood += "\x1b#8\x1b[2J";
  }
  e.feed(flood);
  size_t kept = 0;
  for (const std::string& line : e.grid().take_lines(true)) {
    kept += line.size();
  }
  CHECK(kept <= 9U * 200 * 60);
}

TEST_CASE("a scroll region scrolls inside") {
  CHECK(after("a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\n") == "a\nc\n\nd");
  CHECK(after("a\r\nb\r\nc\r\nd\x1b[2;1H\x1b[L") == "a\n\nb\nc");
  CHECK(after("abcdef\x1b[1;2H\x1b[2P") == "adef");
  CHECK(after("abcdef\x1b[1;2H\x1b[2@") == "a  bcdef");
}

TEST_CASE("left and right margins scroll a part of the width") {
  CHECK(after("abcd\r\nefgh\r\nijkl\x1b[?69h\x1b[2;3s\x1b[1;3r\x1b[3;2H\n") == "afgd\nejkh\ni  l");
}

TEST_CASE("a resize keeps the text, the pen and the saved cursor") {
  Emulator e(10, 4);
  e.feed(
      "one\r\ntwo\x1b"
      "7\r\nthree\r\n\x1b[31mfour");
  e.resize(20, 3);
  CHECK(screen(e) == "two\nthree\nfour");
  e.feed("x");
  CHECK(e.grid().row(2)[4].style.foreground == Color::indexed(1));
  e.feed(
      "\x1b"
      "8!");
  CHECK(screen(e) == "two!\nthree\nfourx");
}

TEST_CASE("a resize inside the alternate screen comes back to the main one") {
  Emulator e(10, 4);
  e.feed("main\x1b[?1049h\x1b[?25l\x1b[Hother");
  e.resize(30, 10);
  CHECK(screen(e) == "other");
  CHECK_FALSE(e.cursor().visible);
  e.feed("\x1b[?1049l\x1b[?25h!");
  CHECK(screen(e) == "main!");
}

TEST_CASE("sizes are clamped") {
  Emulator e(0, 100000);
  CHECK(e.grid().columns() == kMinColumns);
  CHECK(e.grid().rows() == kMaxRows);
  e.feed("\xe6\x97\xa5\xe6\x97\xa5\x1b[2;9999r");
  e.resize(1, 1);
  e.feed(
      "\x1b"
      "8\xe6\x97\xa5x\n\n");
  CHECK(e.grid().rows() == kMinRows);
}

TEST_CASE("a keyframe brings back everything, the middle of a sequence too") {
  Emulator e(20, 5);
  e.feed(
      "\x1b[2;4r\x1b[31;1mabc\x1b"
      "7\x1b(0\x1b[4");
  const auto keyframe = e.save();
  const std::string rest =
      ";7mqq\x1b(B\n\n\n\x1b"
      "8x\xe6\x97\xa5";
  e.feed(rest);
  const std::string first = screen(e);
  e.feed(
      "\x1b"
      "cgarbage" +
      numbered(50));
  e.resize(40, 20);
  e.restore(keyframe);
  e.feed(rest);
  CHECK(screen(e) == first);
  CHECK(e.grid().columns() == 20);
}

TEST_CASE("splitting the bytes anywhere gives the same screen") {
  const std::string text = "a\xe6\x97\xa5\x1b[1;31mb\x1b]0;t\x07\xcc\x81\x1b[3Cx\x1b(0q\x1b(B\r\nz";
  const std::string whole = after(text);
  for (size_t i = 0; i <= text.size(); ++i) {
    Emulator e(10, 4);
    e.feed(text.substr(0, i));
    e.feed(text.substr(i));
    CHECK(screen(e) == whole);
  }
}

TEST_CASE("the hostile corpus leaves an emulator that works") {
  Emulator e(80, 24);
  for (const auto& entry :
       std::filesystem::directory_iterator(SALLYPORT_TEST_DATA "/hostile-output")) {
    std::ifstream in(entry.path(), std::ios::binary);
    e.feed(std::string{std::istreambuf_iterator<char>(in), {}});
    e.resize(3, 2);
    e.resize(80, 24);
    e.feed(
        "\x1b\\\x18\x1b"
        "cstill here");
    CHECK(screen(e) == "still here");
  }
}

TEST_CASE("text survives random bytes of every kind") {
  uint32_t seed = 1;
  const auto next = [&] { return seed = seed * 1664525 + 1013904223, seed >> 16; };
  Emulator e(80, 24);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    for (int i = 0; i < 400; ++i) {
      static constexpr char kInteresting[] =
          "\x1b\x1b\x1b[[[;;:?0123456789mHrJKLMPSTX@hls78cDME#()\n\r\b\t\xe6\x97\xa5\xcc\x81q";
      bytes += next() % 4 == 0 ? static_cast<char>(next())
                               : kInteresting[next() % (sizeof kInteresting - 1)];
    }
    e.feed(bytes);
    if (next() % 3 == 0) {
      e.resize(static_cast<int>(next() % 120), static_cast<int>(next() % 40));
    }
  }
  e.feed(
      "\x1b\\\x18\x1b"
      "cok");
  CHECK(screen(e) == "ok");
}
