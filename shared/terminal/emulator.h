// SPDX-License-Identifier: Apache-2.0
//
// A terminal that is looked at and never answered: bytes in, cells out. For hostile bytes, but in a
// sandboxed process that holds nothing: libvterm is behind it.
#pragma once

#include "shared/terminal/scanner.h"
#include "shared/terminal/vterm_adapter.h"

#include <string_view>

namespace sallyport {

class Emulator {
public:
  // Sizes are clamped to the limits of cell.h, here and in resize().
  Emulator(int columns, int rows);

  void feed(std::string_view bytes);
  void resize(int columns, int rows) { adapter_.resize(columns, rows, scanner_.modes()); }
  void reset(int columns, int rows);

  const Grid& grid() const { return adapter_.grid(); }
  Grid& grid() { return adapter_.grid(); }
  const CursorState& cursor() const { return adapter_.cursor(); }
  bool is_reversed() const { return adapter_.is_reversed(); }

  // Everything, the middle of a sequence included. For this emulator only: it holds addresses.
  struct Keyframe {
    Scanner scanner;
    VtermAdapter::Keyframe terminal;
    size_t bytes() const { return terminal.bytes() + sizeof scanner; }
  };
  Keyframe save() const { return {scanner_, adapter_.save()}; }
  void restore(const Keyframe& keyframe);

private:
  Scanner scanner_;
  VtermAdapter adapter_;
};

}  // namespace sallyport
