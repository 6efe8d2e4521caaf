// SPDX-License-Identifier: Apache-2.0
#include "shared/terminal/emulator.h"

#include <algorithm>

namespace sallyport {

Emulator::Emulator(int columns, int rows)
    : adapter_(std::clamp(columns, kMinColumns, kMaxColumns),
               std::clamp(rows, kMinRows, kMaxRows)) {}

void Emulator::feed(std::string_view bytes) {
  scanner_.feed(bytes, [this](std::string_view safe) { adapter_.write(safe, scanner_.modes()); });
}

void Emulator::reset(int columns, int rows) {
  scanner_ = {};
  adapter_.reset();
  adapter_.resize(columns, rows, scanner_.modes());
}

void Emulator::restore(const Keyframe& keyframe) {
  scanner_ = keyframe.scanner;
  adapter_.restore(keyframe.terminal);
}

}  // namespace sallyport
