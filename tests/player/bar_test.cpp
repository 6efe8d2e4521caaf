// SPDX-License-Identifier: Apache-2.0
#include "player/bar.h"

#include "player/feeding.h"
#include "player/palette.h"
#include "tests/support/catch.h"

using namespace sallyport;

TEST_CASE("durations are short") {
  CHECK(duration_text(0) == "00:00");
  CHECK(duration_text(61'900'000) == "01:01");
  CHECK(duration_text(3'723'000'000) == "1:02:03");
}

TEST_CASE("the bar never exceeds its width and keeps the position") {
  BarState state;
  state.position_us = 5'000'000;
  state.duration_us = 60'000'000;
  state.start_ms = 1'790'000'000'000;
  state.note = "exit status 0";
  state.view = "part 40x11 of 80x24 (hjkl)";
  state.idle_us = 7'000'000;
  for (size_t width = 20; width <= 200; ++width) {
    const std::string bar = bar_text(state, width);
    CHECK(bar.size() <= width);
    CHECK(bar.find("00:05/01:00") != std::string::npos);
  }
  const std::string wide = bar_text(state, 200);
  CHECK(wide.find("x1") != std::string::npos);
  CHECK(wide.find("idle 00:07 skipped") != std::string::npos);
  CHECK(wide.find("part 40x11") != std::string::npos);
  CHECK(wide.find("exit status 0") != std::string::npos);
}

TEST_CASE("a note in the bar is printable") {
  BarState state;
  state.note = "mark \x1b[2J";
  CHECK(bar_text(state, 80).find('\x1b') == std::string::npos);
}

TEST_CASE("colours come down to what a terminal has") {
  CHECK(curses_color(Color(), ColorDepth::indexed256) == -1);
  CHECK(curses_color(Color::indexed(200), ColorDepth::indexed256) == 200);
  CHECK(curses_color(Color::rgb(255, 0, 0), ColorDepth::indexed256) == 196);
  CHECK(curses_color(Color::rgb(1, 2, 3), ColorDepth::direct) == 0x010203);
  CHECK(curses_color(Color::indexed(3), ColorDepth::direct) == 3);
  CHECK(curses_color(Color::rgb(0, 0, 5), ColorDepth::direct) == 0);
  CHECK(curses_color(Color::indexed(9), ColorDepth::eight) == 1);
  CHECK(curses_color(Color::rgb(1, 2, 3), ColorDepth::none) == -1);
}

TEST_CASE("a size is two numbers, held to the limits") {
  CHECK(parse_size("80x24")->columns == 80);
  CHECK(parse_size("9999x1")->columns == 500);
  CHECK(parse_size("9999x1")->rows == 2);
  CHECK(parse_size("4294967295x4294967295")->columns == 500);
  CHECK(parse_size("0x0")->columns == 80);
  CHECK(parse_size("0x0")->rows == 24);
  for (const char* bad : {"", "80", "80x", "x24", "80x24x", "axb"}) {
    CHECK_FALSE(parse_size(bad));
  }
}

TEST_CASE("a line feed alone gets its return, over pieces too") {
  ReturnAdder adder;
  std::string out;
  adder.append(out, "a\nb\r");
  adder.append(out, "\nc\n");
  CHECK(out == "a\r\nb\r\nc\r\n");
}
