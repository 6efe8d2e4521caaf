// SPDX-License-Identifier: Apache-2.0
#include "player/screen_protocol.h"

#include "shared/base/utf8.h"

#include <algorithm>

namespace sallyport {

namespace {

void put(std::vector<uint8_t>& out, uint32_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    out.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
}

class Taker {
public:
  explicit Taker(std::span<const uint8_t> in) : in_(in) {}

  std::span<const uint8_t> bytes(size_t count) {
    if (!good_ || in_.size() < count) {
      good_ = false;
      return {};
    }
    const auto head = in_.first(count);
    in_ = in_.subspan(count);
    return head;
  }
  uint32_t number(size_t count) { return read_le(bytes(count)); }
  void require(bool holds) { good_ = good_ && holds; }
  bool good() const { return good_; }
  bool complete() const { return good_ && in_.empty(); }

private:
  std::span<const uint8_t> in_;
  bool good_ = true;
};

constexpr uint8_t kCursorVisible = 1;
constexpr uint8_t kAlternate = 2;
constexpr uint8_t kReversed = 4;

bool is_drawable(uint32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  const bool surrogate = c >= 0xd800 && c < 0xe000;
  return !control && !surrogate && c <= 0x10ffff;
}

void put_cell(std::vector<uint8_t>& out, const Cell& cell) {
  const auto end = std::find(cell.text.begin(), cell.text.end(), U'\0');
  put(out, static_cast<uint32_t>(end - cell.text.begin()), 1);
  put(out, cell.width, 1);
  put(out, cell.style.attributes, 1);
  put(out, cell.style.foreground.bits(), 4);
  put(out, cell.style.background.bits(), 4);
  for (auto c = cell.text.begin(); c != end; ++c) {
    put(out, *c, 4);
  }
}

Cell take_cell(Taker& in) {
  Cell cell;
  const uint32_t length = in.number(1);
  cell.width = static_cast<uint8_t>(in.number(1));
  cell.style.attributes = static_cast<uint8_t>(in.number(1));
  const uint32_t foreground = in.number(4);
  const uint32_t background = in.number(4);
  in.require(length <= kCellText && cell.width <= 2 && (cell.width > 0 || length == 0) &&
             cell.style.attributes <= attribute::kAll && Color::is_color(foreground) &&
             Color::is_color(background));
  if (!in.good()) {
    return {};
  }
  cell.style.foreground = Color::from_bits(foreground);
  cell.style.background = Color::from_bits(background);
  for (uint32_t i = 0; i < length; ++i) {
    const uint32_t c = in.number(4);
    in.require(is_drawable(c));
    cell.text[i] = c;
  }
  return cell;
}

// A wide character has its other half; a half has its character.
bool widths_fit(std::span<const Cell> row) {
  for (size_t i = 0; i < row.size(); ++i) {
    const bool after_wide = i > 0 && row[i - 1].width == 2;
    if ((row[i].width == 0) != after_wide) {
      return false;
    }
  }
  return row.empty() || row.back().width != 2;
}

Error malformed(const char* what) {
  return {Errc::protocol, std::string("the emulator sent a malformed ") + what};
}

}  // namespace

uint32_t read_le(std::span<const uint8_t> bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    value |= uint32_t{bytes[i]} << (8 * i);
  }
  return value;
}

std::vector<uint8_t> screen_message(ScreenMessage type, std::span<const uint8_t> body) {
  std::vector<uint8_t> out;
  out.reserve(kScreenHeaderBytes + body.size());
  put(out, static_cast<uint32_t>(body.size()), 4);
  out.push_back(static_cast<uint8_t>(type));
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

std::vector<uint8_t> screen_message(ScreenMessage type, std::initializer_list<uint16_t> values) {
  std::vector<uint8_t> body;
  for (const uint16_t value : values) {
    put(body, value, 2);
  }
  return screen_message(type, body);
}

std::vector<uint8_t> screen_slot_message(ScreenMessage type, uint32_t slot) {
  std::vector<uint8_t> body;
  put(body, slot, 4);
  return screen_message(type, body);
}

ScreenHeader parse_screen_header(std::span<const uint8_t, kScreenHeaderBytes> bytes) {
  return {read_le(bytes.first(4)), bytes[4]};
}

std::vector<uint8_t> encode_picture(const Picture& picture) {
  std::vector<uint8_t> out;
  for (const int value :
       {picture.columns, picture.rows, picture.cursor_column, picture.cursor_row}) {
    put(out, static_cast<uint32_t>(value), 2);
  }
  put(out,
      (picture.cursor_visible ? uint32_t{kCursorVisible} : 0U) |
          (picture.alternate ? uint32_t{kAlternate} : 0U) |
          (picture.reversed ? uint32_t{kReversed} : 0U),
      1);
  for (int row = 0; row < picture.rows; ++row) {
    int used = picture.columns;
    while (used > 0 && picture.at(row, used - 1) == Cell{}) {
      --used;
    }
    put(out, picture.wrapped[static_cast<size_t>(row)], 1);
    put(out, static_cast<uint32_t>(used), 2);
    for (int column = 0; column < used; ++column) {
      put_cell(out, picture.at(row, column));
    }
  }
  return out;
}

Result<Picture> decode_picture(std::span<const uint8_t> body) {
  Taker in(body);
  Picture picture;
  picture.columns = static_cast<int>(in.number(2));
  picture.rows = static_cast<int>(in.number(2));
  picture.cursor_column = static_cast<int>(in.number(2));
  picture.cursor_row = static_cast<int>(in.number(2));
  const uint32_t flags = in.number(1);
  in.require(picture.columns >= kMinColumns && picture.columns <= kMaxColumns &&
             picture.rows >= kMinRows && picture.rows <= kMaxRows &&
             picture.cursor_column < picture.columns && picture.cursor_row < picture.rows &&
             flags <= (kCursorVisible | kAlternate | kReversed));
  if (!in.good()) {
    return malformed("picture");
  }
  picture.cursor_visible = (flags & kCursorVisible) != 0;
  picture.alternate = (flags & kAlternate) != 0;
  picture.reversed = (flags & kReversed) != 0;
  const auto width = static_cast<size_t>(picture.columns);
  picture.cells.resize(width * static_cast<size_t>(picture.rows));
  for (size_t row = 0; row < static_cast<size_t>(picture.rows) && in.good(); ++row) {
    const uint32_t wrapped = in.number(1);
    const uint32_t used = in.number(2);
    in.require(wrapped <= 1 && used <= width);
    picture.wrapped.push_back(static_cast<uint8_t>(wrapped));
    for (size_t column = 0; column < used && in.good(); ++column) {
      picture.cells[row * width + column] = take_cell(in);
    }
    in.require(widths_fit(std::span(picture.cells).subspan(row * width, width)));
  }
  if (!in.complete()) {
    return malformed("picture");
  }
  return picture;
}

std::vector<uint8_t> encode_lines(const std::vector<std::string>& lines) {
  std::vector<uint8_t> out;
  put(out, static_cast<uint32_t>(lines.size()), 4);
  for (const std::string& line : lines) {
    put(out, static_cast<uint32_t>(line.size()), 4);
    out.insert(out.end(), line.begin(), line.end());
  }
  return out;
}

Result<std::vector<std::string>> decode_lines(std::span<const uint8_t> body) {
  Taker in(body);
  std::vector<std::string> lines;
  const uint32_t count = in.number(4);
  in.require(count <= body.size() / 4);
  for (uint32_t i = 0; i < count && in.good(); ++i) {
    const auto text = in.bytes(in.number(4));
    lines.emplace_back(text.begin(), text.end());
    in.require(is_valid_utf8(lines.back()));
  }
  if (!in.complete()) {
    return malformed("list of lines");
  }
  return lines;
}

}  // namespace sallyport
