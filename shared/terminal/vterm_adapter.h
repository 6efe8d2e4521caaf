// SPDX-License-Identifier: Apache-2.0
//
// The one place that knows libvterm, 0.1.4 (Debian 12) and 0.3 (Debian 13) alike. It uses only what
// both have: the state layer's callbacks that draw into our own Grid. Not used: VTermScreen (slow,
// and it reads NULL in erase_internal), vterm_set_size (a saved cursor and a scroll region outlive
// it, out of bounds), the output buffer (replies go nowhere).
//
// Feed it what a Scanner passed, nothing else.
#pragma once

#include "shared/terminal/grid.h"
#include "shared/terminal/scanner.h"
#include "shared/terminal/vterm_arena.h"

#include <vterm.h>

#include <memory>
#include <string_view>
#include <vector>

namespace sallyport {

struct CursorState {
  int row = 0;
  int column = 0;
  bool visible = true;
};

class VtermAdapter {
public:
  VtermAdapter(int columns, int rows);
  VtermAdapter(const VtermAdapter&) = delete;
  VtermAdapter& operator=(const VtermAdapter&) = delete;

  void write(std::string_view safe, const TerminalModes& modes);
  void resize(int columns, int rows, const TerminalModes& modes);
  void reset();  // a fresh terminal of the same size

  const Grid& grid() const { return drawing_.grid; }
  Grid& grid() { return drawing_.grid; }
  const CursorState& cursor() const { return drawing_.cursor; }
  bool is_reversed() const { return drawing_.reversed; }

  // Everything that libvterm's callbacks change.
  struct Drawing {
    Grid grid;
    CursorState cursor;
    Style pen;
    bool reversed = false;
    bool muted = false;  // while a new VTerm is brought to the state of the old one
    int wrap_row = -1;   // the last glyph ended at the right edge of this row
  };
  struct Keyframe {
    Drawing drawing;
    std::vector<uint8_t> memory;
    VTerm* vterm;
    size_t bytes() const { return drawing.grid.memory_bytes() + memory.size() + sizeof *this; }
  };
  Keyframe save() const;
  void restore(const Keyframe& keyframe);  // of this adapter

private:
  void create();
  void rebuild(int columns, int rows, const TerminalModes& modes);
  void send(std::string_view text);
  CursorState place() const;

  Drawing drawing_;
  VtermArena arena_;
  VTerm* vterm_ = nullptr;  // lives in arena_
};

}  // namespace sallyport
