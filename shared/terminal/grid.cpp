// SPDX-License-Identifier: Apache-2.0
#include "shared/terminal/grid.h"

#include "shared/base/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace sallyport {

namespace {

constexpr size_t kMaxJoinedLineBytes = 64 * 1024;  // a flood without line feeds is cut here

Cell blank(const Style& style) {
  Cell cell;
  cell.style.background = style.background;
  return cell;
}

bool is_blank(const Cell& cell) {
  return cell.text[0] == 0 || (cell.text[0] == U' ' && cell.text[1] == 0);
}

}  // namespace

Grid::Grid(int columns, int rows) : columns_(columns), rows_(rows) {
  planes_[0] = make_plane(columns, rows);  // the alternate one is made when it is first used
}

Grid::Plane Grid::make_plane(int columns, int rows) const {
  Plane plane;
  plane.cells.resize(static_cast<size_t>(columns) * static_cast<size_t>(rows));
  plane.order.resize(static_cast<size_t>(rows));
  std::iota(plane.order.begin(), plane.order.end(), uint16_t{0});
  plane.wrapped.resize(static_cast<size_t>(rows));
  return plane;
}

Cell* Grid::cells_of(int row) {
  const size_t index = plane().order[static_cast<size_t>(row)];
  return plane().cells.data() + index * static_cast<size_t>(columns_);
}

std::span<const Cell> Grid::row(int row) const {
  const size_t index = plane().order[static_cast<size_t>(row)];
  const auto width = static_cast<size_t>(columns_);
  return {plane().cells.data() + index * width, width};
}

bool Grid::is_wrapped(int row) const {
  return plane().wrapped[static_cast<size_t>(row)] != 0;
}

void Grid::set_wrapped(int row, bool wrapped) {
  if (row >= 0 && row < rows_) {
    plane().wrapped[static_cast<size_t>(row)] = wrapped;
  }
}

std::string Grid::row_text(int index) const {
  const auto cells = row(index);
  size_t end = cells.size();
  while (end > 0 && is_blank(cells[end - 1]) && cells[end - 1].width != 0) {
    --end;
  }
  std::string text;
  for (const Cell& cell : cells.first(end)) {
    if (cell.width == 0) {
      continue;
    }
    if (cell.text[0] == 0) {
      text += ' ';
    }
    for (const char32_t c : cell.text) {
      if (c == 0) {
        break;
      }
      append_utf8(text, c);
    }
  }
  return text;
}

CellRect Grid::clamp(CellRect rect) const {
  rect.top = std::clamp(rect.top, 0, rows_);
  rect.bottom = std::clamp(rect.bottom, rect.top, rows_);
  rect.left = std::clamp(rect.left, 0, columns_);
  rect.right = std::clamp(rect.right, rect.left, columns_);
  return rect;
}

// A change begins or ends at this column: a wide character across the border goes.
void Grid::split_wide(int row, int column) {
  if (column <= 0 || column >= columns_) {
    return;
  }
  Cell* cells = cells_of(row);
  if (cells[column].width == 0) {
    cells[column - 1] = blank(cells[column - 1].style);
    cells[column] = blank(cells[column].style);
  }
}

void Grid::put(int row, int column, int width, const uint32_t* characters, const Style& style) {
  if (row < 0 || row >= rows_ || column < 0 || column >= columns_ || width < 1) {
    return;
  }
  const int end = std::min(column + std::min(width, 2), columns_);
  Cell* cells = cells_of(row);
  if (cells[column].width == 0) {
    split_wide(row, column);
  }
  if (end < columns_ && cells[end].width == 0) {
    split_wide(row, end);
  }
  Cell& cell = cells[column];
  cell.style = style;
  cell.width = static_cast<uint8_t>(end - column);
  size_t used = 0;
  while (used < kCellText && characters[used] != 0) {
    cell.text[used] = characters[used];
    ++used;
  }
  std::fill(cell.text.begin() + static_cast<std::ptrdiff_t>(used), cell.text.end(), U'\0');
  if (end == column + 2) {
    Cell& half = cells[column + 1];
    half.text = {};
    half.style = style;
    half.width = 0;
  }
}

void Grid::erase(CellRect rect, const Style& style) {
  rect = clamp(rect);
  if (rect.top == 0 && rect.left == 0 && rect.bottom == rows_ && rect.right == columns_) {
    keep_screen();
  }
  for (int row = rect.top; row < rect.bottom; ++row) {
    split_wide(row, rect.left);
    split_wide(row, rect.right);
    Cell* cells = cells_of(row);
    std::fill(cells + rect.left, cells + rect.right, blank(style));
    if (rect.right == columns_) {
      set_wrapped(row, false);
    }
  }
}

void Grid::scroll(CellRect rect, int up, int left, const Style& style) {
  rect = clamp(rect);
  const int height = rect.bottom - rect.top;
  const int width = rect.right - rect.left;
  up = std::clamp(up, -height, height);
  left = std::clamp(left, -width, width);
  for (int row = rect.top; row < rect.bottom; ++row) {
    split_wide(row, rect.left);
    split_wide(row, rect.right);
  }
  const bool whole_width = width == columns_;
  if (whole_width && rect.top == 0 && up > 0) {
    for (int row = 0; row < up; ++row) {
      keep_line(row);
    }
  }
  if (whole_width && left == 0) {
    rotate(rect, up);
  } else {
    for (int i = 0; i < height; ++i) {
      const int to = up >= 0 ? rect.top + i : rect.bottom - 1 - i;
      const int from = to + up;
      if (from >= rect.top && from < rect.bottom) {
        shift_row(to, from, rect, left);
      }
    }
  }
  CellRect freed = rect;
  if (up != 0) {
    freed.top = up > 0 ? rect.bottom - up : rect.top;
    freed.bottom = up > 0 ? rect.bottom : rect.top - up;
    const bool keeping = std::exchange(keeping_, false);  // these lines have been kept above
    erase(freed, style);
    keeping_ = keeping;
  }
  if (left != 0) {
    freed = rect;
    freed.left = left > 0 ? rect.right - left : rect.left;
    freed.right = left > 0 ? rect.right : rect.left - left;
    erase(freed, style);
  }
}

void Grid::rotate(const CellRect& rect, int up) {
  const auto turn = [&](auto& list) {
    const auto begin = list.begin() + rect.top;
    const auto end = list.begin() + rect.bottom;
    std::rotate(begin, up >= 0 ? begin + up : end + up, end);
  };
  turn(plane().order);
  turn(plane().wrapped);
}

void Grid::shift_row(int to, int from, const CellRect& rect, int left) {
  Cell* target = cells_of(to);
  const Cell* source = cells_of(from);
  if (left >= 0) {
    std::copy(source + rect.left + left, source + rect.right, target + rect.left);
  } else {
    std::copy_backward(source + rect.left, source + rect.right + left, target + rect.right);
  }
  // A wide character may have been cut at the edge that moved inwards.
  if (left > 0 && target[rect.left].width == 0) {
    target[rect.left] = blank(target[rect.left].style);
  }
  if (left < 0 && target[rect.right - 1].width == 2) {
    target[rect.right - 1] = blank(target[rect.right - 1].style);
  }
}

void Grid::switch_screen(bool alternate) {
  alternate_ = alternate;
  if (alternate && planes_[1].cells.empty()) {
    planes_[1] = make_plane(columns_, rows_);
  }
}

int Grid::resize(int columns, int rows, int cursor_row) {
  const int gone = std::max(0, std::min(cursor_row, rows_ - 1) - (rows - 1));
  const bool was_alternate = alternate_;
  for (const bool side : {false, true}) {
    if (planes_[side].cells.empty()) {
      continue;
    }
    alternate_ = side;
    Plane fresh = make_plane(columns, rows);
    const int skip = side == was_alternate ? gone : 0;
    for (int i = 0; i < skip; ++i) {
      keep_line(i);
    }
    for (int i = 0; i < std::min(rows, rows_ - skip); ++i) {
      const auto from = row(i + skip);
      const auto width = static_cast<size_t>(std::min(columns, columns_));
      Cell* to = fresh.cells.data() + static_cast<size_t>(i) * static_cast<size_t>(columns);
      std::copy_n(from.begin(), width, to);
      if (to[width - 1].width == 2) {
        to[width - 1] = blank(to[width - 1].style);
      }
      fresh.wrapped[static_cast<size_t>(i)] = columns == columns_ && is_wrapped(i + skip);
    }
    plane() = std::move(fresh);
  }
  alternate_ = was_alternate;
  columns_ = columns;
  rows_ = rows;
  return std::clamp(cursor_row - gone, 0, rows - 1);
}

void Grid::clear() {
  planes_[0] = make_plane(columns_, rows_);
  planes_[1] = {};
  alternate_ = false;
  lines_.clear();
  join_next_line_ = false;
}

void Grid::keep_line(int index) {
  if (!keeping_ || alternate_) {
    return;
  }
  std::string text = row_text(index);
  if (join_next_line_ && !lines_.empty() && lines_.back().size() < kMaxJoinedLineBytes) {
    lines_.back() += text;
  } else {
    lines_.push_back(std::move(text));
  }
  join_next_line_ = is_wrapped(index);
}

// The screen is wiped: what stood on it was seen.
void Grid::keep_screen() {
  if (!keeping_ || alternate_) {
    return;
  }
  int last = rows_;
  while (last > 0 && row_text(last - 1).empty()) {
    --last;
  }
  for (int i = 0; i < last; ++i) {
    keep_line(i);
  }
  join_next_line_ = false;
}

std::vector<std::string> Grid::take_lines(bool unfinished) {
  std::vector<std::string> taken = std::move(lines_);
  lines_.clear();
  if (join_next_line_ && !unfinished && !taken.empty() &&
      taken.back().size() < kMaxJoinedLineBytes) {
    lines_.push_back(std::move(taken.back()));
    taken.pop_back();
  }
  return taken;
}

size_t Grid::memory_bytes() const {
  return (planes_[0].cells.size() + planes_[1].cells.size()) * sizeof(Cell) + sizeof *this;
}

}  // namespace sallyport
