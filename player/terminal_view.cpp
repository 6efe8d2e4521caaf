// SPDX-License-Identifier: Apache-2.0
#include "player/terminal_view.h"

#include "shared/base/environment.h"
#include "shared/base/printable.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstring>
#include <cwchar>
#include <cwctype>
#include <string_view>

// Functions, not macros that would bite `erase`.
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

namespace sallyport {

namespace {

constexpr int kBarRows = 1;
constexpr int kViewStep = 8;
constexpr int kMaxPairs = 16384;
constexpr wchar_t kReplacement = 0xfffd;

constexpr const char* kHelp[] = {
    "space  play or pause",
    ".      one step",
    "[ ]    slower, faster",
    "<- ->  5 seconds",
    "g G    beginning, end",
    "i      skip idle times or not",
    "hjkl   move the view, 0 follow",
    "?      this help",
    "q      quit",
};

// Without any locale in the environment the terminal is taken for UTF-8, as all are today. One that
// was chosen is respected: in an 8-bit one a byte of UTF-8 could be a control.
bool use_locale() {
  const bool chosen = !environment_variable("LC_ALL").empty() ||
                      !environment_variable("LC_CTYPE").empty() ||
                      !environment_variable("LANG").empty();
  std::setlocale(LC_ALL, chosen ? "" : "C.UTF-8");
  return MB_CUR_MAX > 1;
}

// $TERM's own entry, or the one of the same terminal with 24-bit colour where it says it has that.
SCREEN* new_screen() {
  const std::string term = environment_variable("TERM");
  const std::string colors = environment_variable("COLORTERM");
  if ((colors == "truecolor" || colors == "24bit") && term == "xterm-256color") {
    if (SCREEN* screen = ::newterm("xterm-direct", stdout, stdin)) {
      return screen;
    }
  }
  return ::newterm(nullptr, stdout, stdin);
}

ColorDepth color_depth() {
  if (!::has_colors() || ::start_color() != OK || ::use_default_colors() != OK) {
    return ColorDepth::none;
  }
  if (COLORS > 256) {
    return ColorDepth::direct;
  }
  return COLORS == 256  ? ColorDepth::indexed256
         : COLORS >= 16 ? ColorDepth::sixteen
                        : ColorDepth::eight;
}

attr_t curses_attributes(uint8_t attributes) {
  static constexpr struct {
    uint8_t ours;
    attr_t theirs;
  } kTable[] = {
      {attribute::kBold, WA_BOLD},     {attribute::kFaint, WA_DIM},
      {attribute::kItalic, WA_ITALIC}, {attribute::kUnderline, WA_UNDERLINE},
      {attribute::kBlink, WA_BLINK},   {attribute::kReverse, WA_REVERSE},
  };
  attr_t out = 0;
  for (const auto& entry : kTable) {
    out |= (attributes & entry.ours) != 0 ? entry.theirs : 0;
  }
  return out;
}

Key key_of(wint_t c) {
  switch (c) {
    case L' ':
      return Key::pause;
    case L'.':
      return Key::step;
    case L'[':
      return Key::slower;
    case L']':
      return Key::faster;
    case L'g':
      return Key::begin;
    case L'G':
      return Key::end;
    case L'i':
      return Key::idle;
    case L'?':
      return Key::help;
    case L'q':
      return Key::quit;
    case L'h':
      return Key::view_left;
    case L'l':
      return Key::view_right;
    case L'k':
      return Key::view_up;
    case L'j':
      return Key::view_down;
    case L'0':
      return Key::view_follow;
    default:
      return Key::other;
  }
}

Key function_key(wint_t c) {
  switch (c) {
    case KEY_LEFT:
      return Key::back;
    case KEY_RIGHT:
      return Key::forward;
    case KEY_UP:
      return Key::view_up;
    case KEY_DOWN:
      return Key::view_down;
    case KEY_HOME:
      return Key::begin;
    case KEY_END:
      return Key::end;
    case KEY_RESIZE:
      return Key::resized;
    default:
      return Key::other;
  }
}

}  // namespace

Status TerminalView::open(TerminalView& view) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return Error{Errc::invalid,
                 "playing needs a terminal; for a file or a pipe use: export --format text"};
  }
  view.ascii_only_ = !use_locale();
  if (new_screen() == nullptr) {
    return Error{Errc::invalid, "the terminal \"" + printable(environment_variable("TERM"), 40) +
                                    "\" is not known; set TERM"};
  }
  view.open_ = true;
  ::set_escdelay(50);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::curs_set(0);
  view.depth_ = color_depth();
  return ok();
}

void TerminalView::close() {
  if (open_) {
    ::endwin();
    open_ = false;
  }
}

Key TerminalView::key(int timeout_ms) {
  ::timeout(timeout_ms);
  wint_t c = 0;
  const int got = ::get_wch(&c);
  if (got == KEY_CODE_YES) {
    return function_key(c);
  }
  return got == OK ? key_of(c) : Key::none;
}

int TerminalView::pair_of(int foreground, int background) {
  if (depth_ == ColorDepth::none || (foreground == -1 && background == -1)) {
    return 0;
  }
  const auto known = pairs_.find({foreground, background});
  if (known != pairs_.end()) {
    return known->second;
  }
  const int number = static_cast<int>(pairs_.size()) + 1;
  if (number >= std::min(kMaxPairs, COLOR_PAIRS) ||
      ::init_extended_pair(number, foreground, background) != OK) {
    return 0;
  }
  pairs_[{foreground, background}] = number;
  return number;
}

void TerminalView::move_view(Key key) {
  follow_ = key == Key::view_follow;
  view_column_ += key == Key::view_left ? -kViewStep : key == Key::view_right ? kViewStep : 0;
  view_row_ += key == Key::view_up ? -kViewStep / 2 : key == Key::view_down ? kViewStep / 2 : 0;
}

TerminalView::Window TerminalView::place(const Picture& picture) {
  const int height = std::max(LINES - kBarRows, 1);
  Window w;
  w.rows = std::min(height, picture.rows);
  w.columns = std::min(COLS, picture.columns);
  if (follow_) {  // the cursor stays in view, moving the view as little as possible
    view_row_ = std::clamp(view_row_, picture.cursor_row - w.rows + 1, picture.cursor_row);
    view_column_ =
        std::clamp(view_column_, picture.cursor_column - w.columns + 1, picture.cursor_column);
  }
  view_row_ = w.top = std::clamp(view_row_, 0, picture.rows - w.rows);
  view_column_ = w.left = std::clamp(view_column_, 0, picture.columns - w.columns);
  w.at_row = (height - w.rows) / 2;
  w.at_column = (COLS - w.columns) / 2;
  return w;
}

void TerminalView::draw_frame(const Window& w, const Picture& picture) {
  const int height = LINES - kBarRows;
  const int below = w.at_row + w.rows;
  const int beside = w.at_column + w.columns;
  ::attr_set(WA_DIM, 0, nullptr);
  if (picture.columns < COLS) {
    for (int y = w.at_row; y < below; ++y) {
      if (w.at_column > 0) {
        ::mvaddch(y, w.at_column - 1, ACS_VLINE);
      }
      ::mvaddch(y, beside, ACS_VLINE);
    }
  }
  if (picture.rows < height) {
    if (w.at_row > 0) {
      ::mvhline(w.at_row - 1, w.at_column, ACS_HLINE, w.columns);
    }
    ::mvhline(below, w.at_column, ACS_HLINE, w.columns);
  }
  ::attr_set(WA_NORMAL, 0, nullptr);
}

void TerminalView::draw_cell(const Cell& cell, int y, int x, int room, bool reversed) {
  std::array<wchar_t, CCHARW_MAX + 1> text{};
  size_t used = 0;
  const auto base = static_cast<wchar_t>(cell.text[0]);
  bool shown = base != 0 && !is_hidden_character(cell.text[0]) &&
               ::iswprint(static_cast<wint_t>(base)) != 0 && ::wcwidth(base) == cell.width;
  if (shown && ascii_only_ && base >= 0x7f) {
    shown = false;
  }
  if (shown && cell.width <= room) {
    text[used++] = base;
    for (size_t i = 1; i < kCellText && used < CCHARW_MAX; ++i) {
      const auto c = static_cast<wchar_t>(cell.text[i]);
      if (c == 0) {
        break;
      }
      if (!is_hidden_character(cell.text[i]) && ::wcwidth(c) == 0 && !ascii_only_) {
        text[used++] = c;
      }
    }
  } else {
    const bool blank = base == 0 || cell.width > room;
    text[used++] = blank ? L' ' : ascii_only_ ? L'?' : kReplacement;
  }
  attr_t attributes = curses_attributes(cell.style.attributes);
  attributes ^= reversed ? WA_REVERSE : 0;
  const Color fg = cell.style.foreground;
  if (depth_ == ColorDepth::eight && fg.kind() == Color::Kind::indexed && fg.index() >= 8 &&
      fg.index() < 16) {
    attributes |= WA_BOLD;
  }
  int pair = pair_of(curses_color(fg, depth_), curses_color(cell.style.background, depth_));
  cchar_t glyph{};
  if (::setcchar(&glyph, text.data(), attributes, 0, &pair) == OK) {
    ::mvadd_wch(y, x, &glyph);
  }
  if (cell.width == 2 && room >= 2 && !shown) {
    const wchar_t space[] = L" ";
    ::setcchar(&glyph, space, attributes, 0, &pair);
    ::mvadd_wch(y, x + 1, &glyph);
  }
}

void TerminalView::draw_row(const Window& w, const Picture& picture, int row) {
  const int y = w.at_row + row;
  for (int column = 0; column < w.columns; ++column) {
    const int from = w.left + column;
    Cell cell = picture.at(w.top + row, from);
    if (cell.width == 0) {
      if (column > 0) {
        continue;  // its other half is drawn
      }
      cell.width = 1;
    }
    const bool cursor = picture.cursor_visible && picture.cursor_row == w.top + row &&
                        picture.cursor_column == from;
    draw_cell(cell, y, w.at_column + column, w.columns - column, cursor != picture.reversed);
  }
}

void TerminalView::draw(const Picture& picture, BarState bar) {
  const Window w = place(picture);
  if (pairs_.size() * 2 > static_cast<size_t>(std::min(kMaxPairs, COLOR_PAIRS))) {
    pairs_.clear();  // a recording in 24-bit colour: begin again before the next ones fail
  }
  ::erase();
  draw_frame(w, picture);
  for (int row = 0; row < w.rows; ++row) {
    draw_row(w, picture, row);
  }
  if (w.rows < picture.rows || w.columns < picture.columns) {
    bar.view = "part " + std::to_string(w.columns) + "x" + std::to_string(w.rows) + " of " +
               std::to_string(picture.columns) + "x" + std::to_string(picture.rows) + " (hjkl)";
  }
  if (help_) {
    draw_help();
  }
  draw_bar(bar);
}

void TerminalView::draw_bar(const BarState& bar) {
  const std::string text = bar_text(bar, static_cast<size_t>(COLS));
  const int y = LINES - 1;
  ::attr_set(WA_REVERSE, 0, nullptr);
  ::mvhline(y, 0, ' ', COLS);
  std::wstring wide(text.size() + 1, L'\0');
  const size_t length = std::mbstowcs(wide.data(), text.c_str(), wide.size());
  if (length != static_cast<size_t>(-1)) {
    ::mvaddnwstr(y, 0, wide.c_str(), static_cast<int>(length));
  }
  ::attr_set(WA_NORMAL, 0, nullptr);
  ::move(y, 0);
  ::refresh();
}

void TerminalView::draw_help() {
  size_t width = 0;
  for (const char* line : kHelp) {
    width = std::max(width, std::strlen(line));
  }
  const int columns = static_cast<int>(width) + 2;
  const int rows = static_cast<int>(std::size(kHelp));
  const int top = std::max((LINES - kBarRows - rows) / 2, 0);
  const int left = std::max((COLS - columns) / 2, 0);
  ::attr_set(WA_REVERSE, 0, nullptr);
  for (int i = 0; i < rows; ++i) {
    ::mvhline(top + i, left, ' ', columns);
    ::mvaddnstr(top + i, left + 1, kHelp[i], COLS - left - 1);
  }
  ::attr_set(WA_NORMAL, 0, nullptr);
}

}  // namespace sallyport
