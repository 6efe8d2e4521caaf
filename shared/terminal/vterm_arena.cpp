// SPDX-License-Identifier: Apache-2.0
#include "shared/terminal/vterm_arena.h"

#include "shared/base/log.h"

#include <algorithm>
#include <cstddef>

namespace sallyport {

void* VtermArena::take(size_t size) noexcept {
  constexpr size_t kAlign = alignof(std::max_align_t);
  if (size > kBytes || used_ + size + kAlign > kBytes) {
    fatal("the terminal emulator wants more memory than it may have");
  }
  uint8_t* place = bytes_.data() + used_;
  std::fill_n(place, size, uint8_t{0});
  used_ += (size + kAlign - 1) / kAlign * kAlign;
  return place;
}

void VtermArena::restore(std::span<const uint8_t> contents) {
  std::copy(contents.begin(), contents.end(), bytes_.begin());
  used_ = contents.size();
}

}  // namespace sallyport
