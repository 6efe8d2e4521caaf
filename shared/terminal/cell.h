// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sallyport {

inline constexpr int kMinColumns = 2;
inline constexpr int kMaxColumns = 500;
inline constexpr int kMinRows = 2;
inline constexpr int kMaxRows = 200;
inline constexpr size_t kCellText = 5;  // one base character and what combines with it

// A colour as the program asked for it: the terminal's own, one of the palette, or 24 bits.
class Color {
public:
  enum class Kind : uint8_t { standard, indexed, rgb, last_ = rgb };

  constexpr Color() = default;
  static constexpr Color indexed(uint8_t index) { return Color(Kind::indexed, index); }
  static constexpr Color rgb(uint8_t red, uint8_t green, uint8_t blue) {
    return Color(Kind::rgb, uint32_t{red} << 16 | uint32_t{green} << 8 | blue);
  }
  // For a codec: the inverse of bits(); false when these bits are no colour.
  static constexpr bool is_color(uint32_t bits) {
    const uint32_t kind = bits >> 24;
    const uint32_t value = bits & 0xffffff;
    return kind == 0 ? value == 0 : kind == 1 ? value < 256 : kind == 2;
  }
  static constexpr Color from_bits(uint32_t bits) {
    Color color;
    color.bits_ = bits;
    return color;
  }

  constexpr Kind kind() const { return static_cast<Kind>(bits_ >> 24); }
  constexpr uint8_t index() const { return static_cast<uint8_t>(bits_); }
  constexpr uint8_t red() const { return static_cast<uint8_t>(bits_ >> 16); }
  constexpr uint8_t green() const { return static_cast<uint8_t>(bits_ >> 8); }
  constexpr uint8_t blue() const { return static_cast<uint8_t>(bits_); }
  constexpr uint32_t bits() const { return bits_; }
  bool operator==(const Color&) const = default;

private:
  constexpr Color(Kind kind, uint32_t value) : bits_(static_cast<uint32_t>(kind) << 24 | value) {}
  uint32_t bits_ = 0;
};

namespace attribute {
inline constexpr uint8_t kBold = 1;
inline constexpr uint8_t kFaint = 2;
inline constexpr uint8_t kItalic = 4;
inline constexpr uint8_t kUnderline = 8;
inline constexpr uint8_t kBlink = 16;
inline constexpr uint8_t kReverse = 32;
inline constexpr uint8_t kStrike = 64;
inline constexpr uint8_t kAll = 127;
}  // namespace attribute

struct Style {
  Color foreground;
  Color background;
  uint8_t attributes = 0;
  bool operator==(const Style&) const = default;
};

// Text ends at the first zero; none at all is an erased cell. The right half of a wide character
// has width 0 and no text.
struct Cell {
  std::array<char32_t, kCellText> text{};
  Style style;
  uint8_t width = 1;
  bool operator==(const Cell&) const = default;
};

}  // namespace sallyport
