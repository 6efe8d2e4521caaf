// SPDX-License-Identifier: Apache-2.0
#include "player/bar.h"

#include "shared/base/printable.h"
#include "shared/base/utf8.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <vector>

namespace sallyport {

namespace {

// Characters, for text that is printable and narrow.
size_t length(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(utf8_step(text).length);
    ++count;
  }
  return count;
}

std::string speed_text(double speed) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "x%g", speed);
  return text.data();
}

std::string idle_text(const BarState& s) {
  if (s.idle_us == 0) {
    return s.skips_idle ? "" : "idle shown";
  }
  return "idle " + duration_text(s.idle_us) + (s.skips_idle ? " skipped" : "");
}

std::string cut(std::string_view text, size_t characters) {
  std::string out;
  while (!text.empty() && characters > 0) {
    const size_t step = utf8_step(text).length;
    out += text.substr(0, step);
    text.remove_prefix(step);
    --characters;
  }
  return out;
}

}  // namespace

std::string duration_text(uint64_t us) {
  const auto seconds = static_cast<unsigned long>(us / 1'000'000);
  std::array<char, 32> text{};
  if (seconds >= 3600) {
    std::snprintf(text.data(), text.size(), "%lu:%02lu:%02lu", seconds / 3600, seconds / 60 % 60,
                  seconds % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%02lu:%02lu", seconds / 60, seconds % 60);
  }
  return text.data();
}

std::string wall_clock_text(int64_t ms, bool with_date) {
  const std::time_t seconds = ms / 1000;
  std::tm local{};
  std::array<char, 64> text{};
  if (::localtime_r(&seconds, &local) == nullptr ||
      std::strftime(text.data(), text.size(), with_date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S",
                    &local) == 0) {
    return "";
  }
  return text.data();
}

std::string bar_text(const BarState& s, size_t width) {
  struct Part {
    std::string text;
    int rank;  // the highest goes first when there is no room
  };
  const char* sign = s.at_end ? "END" : s.playing ? ">" : "||";
  const int64_t now_ms = s.start_ms.value_or(0) + static_cast<int64_t>(s.position_us / 1000);
  const std::string clock = s.start_ms ? wall_clock_text(now_ms, width >= 70) : "";
  const std::string time = duration_text(s.position_us) + "/" + duration_text(s.duration_us);
  std::vector<Part> parts = {{std::string(sign) + " " + time, 0},
                             {clock, 3},
                             {speed_text(s.speed), 1},
                             {idle_text(s), 4},
                             {s.view, 5},
                             {s.note.empty() ? "" : printable(s.note, 120), 2},
                             {"? help", 6}};
  std::string best;
  for (int keep = 0; keep <= 6; ++keep) {
    std::string line;
    for (const Part& part : parts) {
      if (part.rank <= keep && !part.text.empty()) {
        line += (line.empty() ? " " : "  ") + part.text;
      }
    }
    if (length(line) > width) {
      return cut(keep == 2 ? line : best, width);  // a note is cut rather than left out
    }
    best = line;
  }
  return best;
}

}  // namespace sallyport
