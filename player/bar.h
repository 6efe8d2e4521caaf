// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport {

// What the bar below the screen says.
struct BarState {
  uint64_t position_us = 0;
  uint64_t duration_us = 0;
  std::optional<int64_t> start_ms;  // of the recording, Unix
  double speed = 1;
  bool playing = false;
  bool at_end = false;
  bool skips_idle = true;
  uint64_t idle_us = 0;  // nothing happens for so long
  std::string note;
  std::string view;  // which part of a larger screen is shown
};

// One line of at most `width` characters; what matters less goes first when there is no room.
// Everything in it is printable() already or our own.
std::string bar_text(const BarState& state, size_t width);

std::string duration_text(uint64_t us);                   // 1:02:03 or 02:03
std::string wall_clock_text(int64_t ms, bool with_date);  // local time

}  // namespace sallyport
