// SPDX-License-Identifier: Apache-2.0
//
// The cells of a terminal, main and alternate. Rows are reached through an index, so that
// scrolling the whole width moves numbers and not cells (VTermScreen moves memory: 2-40 MB/s).
// Every coordinate is clamped here: what libvterm's callbacks say is not believed.
#pragma once

#include "shared/terminal/cell.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

struct CellRect {  // ends are exclusive
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;
};

class Grid {
public:
  Grid(int columns, int rows);

  int columns() const { return columns_; }
  int rows() const { return rows_; }
  bool is_alternate() const { return alternate_; }
  std::span<const Cell> row(int row) const;
  // The row goes on in the next one: text ran over the right edge.
  bool is_wrapped(int row) const;
  std::string row_text(int row) const;  // UTF-8, without trailing blanks

  void put(int row, int column, int width, const uint32_t* characters, const Style& style);
  void erase(CellRect rect, const Style& style);
  // Moves the inside of the rectangle up by `up` rows and left by `left` columns (negative: the
  // other way); what becomes free is erased.
  void scroll(CellRect rect, int up, int left, const Style& style);
  void set_wrapped(int row, bool wrapped);
  void switch_screen(bool alternate);
  // Keeps the top left corner; when rows go, those above the cursor scroll off first. Returns the
  // cursor's new row. Both sizes are within the limits of cell.h.
  int resize(int columns, int rows, int cursor_row);
  void clear();  // both screens

  // Lines of the main screen as they scroll off or are wiped with the whole screen, wrapped rows
  // joined. Off at first. A line whose end is still on the screen stays back unless asked for.
  void keep_lines(bool on) { keeping_ = on; }
  std::vector<std::string> take_lines(bool unfinished = false);

  size_t memory_bytes() const;

private:
  struct Plane {
    std::vector<Cell> cells;
    std::vector<uint16_t> order;  // row on the screen -> row in `cells`
    std::vector<uint8_t> wrapped;
  };

  Plane make_plane(int columns, int rows) const;
  Plane& plane() { return planes_[alternate_]; }
  const Plane& plane() const { return planes_[alternate_]; }
  Cell* cells_of(int row);
  CellRect clamp(CellRect rect) const;
  void split_wide(int row, int column);
  void rotate(const CellRect& rect, int up);
  void shift_row(int to, int from, const CellRect& rect, int left);
  void keep_line(int row);
  void keep_screen();

  int columns_;
  int rows_;
  bool alternate_ = false;
  bool keeping_ = false;
  Plane planes_[2];
  std::vector<std::string> lines_;
  bool join_next_line_ = false;
};

}  // namespace sallyport
