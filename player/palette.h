// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/terminal/cell.h"

#include <cstdint>

namespace sallyport {

// How many colours the auditor's terminal has.
enum class ColorDepth { none, eight, sixteen, indexed256, direct };

// The number that ncurses wants for a recorded colour: -1 is the terminal's own. In `direct`, 0 to
// 7 are the palette and everything else 0xrrggbb.
int curses_color(Color color, ColorDepth depth);

// The colour that xterm gives to an index, as 0xrrggbb.
uint32_t palette_rgb(uint8_t index);

}  // namespace sallyport
