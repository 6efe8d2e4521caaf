// SPDX-License-Identifier: Apache-2.0
//
// The auditor's terminal, through ncurses. It is given cells, never bytes (R13): each character is
// looked at here once more, for the emulator that made the picture is not trusted. Controls and
// characters that hide or turn others are left out, and what this terminal cannot show in the
// right width becomes U+FFFD. Only what ncurses sends for $TERM reaches the terminal.
#pragma once

#include "player/bar.h"
#include "player/palette.h"
#include "player/screen_protocol.h"
#include "shared/base/result.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

enum class Key {
  none,
  pause,
  step,
  slower,
  faster,
  back,
  forward,
  begin,
  end,
  idle,
  help,
  quit,
  view_left,
  view_right,
  view_up,
  view_down,
  view_follow,
  resized,
  other,
};

// One at a time. The destructor gives the terminal back.
class TerminalView {
public:
  static Status open(TerminalView& view);

  TerminalView() = default;
  TerminalView(const TerminalView&) = delete;
  TerminalView& operator=(const TerminalView&) = delete;
  ~TerminalView() { close(); }
  void close();

  // Waits at most so long; -1 waits for ever.
  Key key(int timeout_ms);
  void draw(const Picture& picture, BarState bar);
  void draw_bar(const BarState& bar);
  void show_help(bool on) { help_ = on; }
  bool shows_help() const { return help_; }
  void move_view(Key key);

private:
  struct Window {  // which part of the recorded screen is where
    int top = 0;
    int left = 0;
    int rows = 0;
    int columns = 0;
    int at_row = 0;
    int at_column = 0;
  };

  Window place(const Picture& picture);
  void draw_frame(const Window& window, const Picture& picture);
  void draw_row(const Window& window, const Picture& picture, int row);
  void draw_cell(const Cell& cell, int y, int x, int room, bool reversed);
  void draw_help();
  int pair_of(int foreground, int background);

  bool open_ = false;
  bool ascii_only_ = false;
  ColorDepth depth_ = ColorDepth::none;
  std::map<std::pair<int, int>, int> pairs_;
  bool help_ = false;
  bool follow_ = true;
  int view_row_ = 0;
  int view_column_ = 0;
};

}  // namespace sallyport
