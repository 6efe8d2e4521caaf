// SPDX-License-Identifier: Apache-2.0
#include "player/palette.h"

#include <array>
#include <cstdlib>

namespace sallyport {

namespace {

constexpr std::array<uint32_t, 16> kAnsi = {
    0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
    0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
};
constexpr std::array<uint32_t, 6> kCube = {0, 95, 135, 175, 215, 255};

struct Rgb {
  int red;
  int green;
  int blue;
};

Rgb split(uint32_t rgb) {
  return {static_cast<int>(rgb >> 16 & 0xff), static_cast<int>(rgb >> 8 & 0xff),
          static_cast<int>(rgb & 0xff)};
}

int distance(uint32_t a, uint32_t b) {
  const Rgb x = split(a);
  const Rgb y = split(b);
  const auto square = [](int d) { return d * d; };
  return square(x.red - y.red) + square(x.green - y.green) + square(x.blue - y.blue);
}

int nearest(uint32_t rgb, int first, int last) {
  int best = first;
  for (int i = first + 1; i <= last; ++i) {
    const auto at = [](int index) { return palette_rgb(static_cast<uint8_t>(index)); };
    if (distance(rgb, at(i)) < distance(rgb, at(best))) {
      best = i;
    }
  }
  return best;
}

}  // namespace

uint32_t palette_rgb(uint8_t index) {
  if (index < 16) {
    return kAnsi[index];
  }
  if (index >= 232) {
    return (8 + 10 * (index - 232U)) * 0x010101;
  }
  const unsigned cube = index - 16U;
  return kCube[cube / 36] << 16 | kCube[cube / 6 % 6] << 8 | kCube[cube % 6];
}

int curses_color(Color color, ColorDepth depth) {
  if (color.kind() == Color::Kind::standard || depth == ColorDepth::none) {
    return -1;
  }
  const bool indexed = color.kind() == Color::Kind::indexed;
  const uint32_t rgb = indexed ? palette_rgb(color.index()) : color.bits() & 0xffffff;
  switch (depth) {
    case ColorDepth::direct:
      if (indexed && color.index() < 8) {
        return color.index();
      }
      return rgb < 8 ? 0 : static_cast<int>(rgb);  // below 8 would be an index
    case ColorDepth::indexed256:
      return indexed ? color.index() : nearest(rgb, 16, 255);
    case ColorDepth::sixteen:
      return indexed && color.index() < 16 ? color.index() : nearest(rgb, 0, 15);
    default:
      return (indexed && color.index() < 16 ? color.index() : nearest(rgb, 0, 15)) % 8;
  }
}

}  // namespace sallyport
