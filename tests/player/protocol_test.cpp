// SPDX-License-Identifier: Apache-2.0
#include "player/screen_protocol.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

Picture small_picture() {
  Picture picture;
  picture.columns = 4;
  picture.rows = 2;
  picture.cursor_column = 3;
  picture.cursor_row = 1;
  picture.cursor_visible = true;
  picture.cells.resize(8);
  picture.wrapped = {1, 0};
  picture.cells[0].text = {U'e', U'\u0301'};
  picture.cells[0].style = {Color::indexed(200), Color::rgb(1, 2, 3), attribute::kBold};
  picture.cells[1].text[0] = U'\u65e5';
  picture.cells[1].width = 2;
  picture.cells[2].width = 0;
  return picture;
}

bool decodes(const Picture& picture) {
  return decode_picture(encode_picture(picture)).has_value();
}

}  // namespace

TEST_CASE("a picture comes back as it was") {
  const Picture picture = small_picture();
  const auto back = decode_picture(encode_picture(picture));
  REQUIRE(back);
  CHECK(back->cells == picture.cells);
  CHECK(back->wrapped == picture.wrapped);
  CHECK(back->cursor_column == 3);
  CHECK(back->cursor_visible);
}

TEST_CASE("a picture of any other length is refused") {
  const auto bytes = encode_picture(small_picture());
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_picture(std::span(bytes).first(size)));
  }
  auto longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(decode_picture(longer));
}

TEST_CASE("a control in a cell is refused") {
  for (const char32_t c : {U'\x1b', U'\n', U'\x7f', U'\x9b', U'\xd800', U'\x110000'}) {
    Picture picture = small_picture();
    picture.cells[5].text[0] = c;
    CHECK_FALSE(decodes(picture));
    picture = small_picture();
    picture.cells[0].text[1] = c;
    CHECK_FALSE(decodes(picture));
  }
}

TEST_CASE("sizes, cursors, colours and widths that cannot be are refused") {
  Picture picture = small_picture();
  picture.cursor_row = 2;
  CHECK_FALSE(decodes(picture));
  picture = small_picture();
  picture.cells[5].style.foreground = Color::from_bits(0x03000000);
  CHECK_FALSE(decodes(picture));
  picture = small_picture();
  picture.cells[5].style.attributes = 128;
  CHECK_FALSE(decodes(picture));
  picture = small_picture();
  picture.cells[2].width = 1;  // half a wide character
  CHECK_FALSE(decodes(picture));
  picture = small_picture();
  picture.cells[3].width = 2;  // over the edge
  CHECK_FALSE(decodes(picture));
  picture = small_picture();
  picture.columns = 1;
  picture.rows = 8;
  picture.wrapped.resize(8);
  CHECK_FALSE(decodes(picture));
}

TEST_CASE("lines come back, and only whole") {
  const std::vector<std::string> lines = {"one", "", "\xc3\xa9"};
  const auto bytes = encode_lines(lines);
  REQUIRE(decode_lines(bytes));
  CHECK(*decode_lines(bytes) == lines);
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_lines(std::span(bytes).first(size)));
  }
  CHECK_FALSE(decode_lines(encode_lines({"\xff"})));
}
