// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/looks_like_text.h"

#include "tests/support/catch.h"

#include <string>

using sallyport::monitor::looks_like_text;

namespace {

const std::string kManyLengths = "a\u00e9\u20ac\U0001f600z";  // 1, 2, 3, 4 bytes, and 1

}  // namespace

TEST_CASE("text is text, and nothing is text too") {
  CHECK(looks_like_text(""));
  CHECK(looks_like_text("plain\r\n\ttext\x1b[31m\x07"));
  CHECK(looks_like_text(kManyLengths));
}

TEST_CASE("a text cut between any two bytes is text on both sides") {
  for (size_t cut = 0; cut <= kManyLengths.size(); ++cut) {
    INFO("cut at " << cut);
    CHECK(looks_like_text(kManyLengths.substr(0, cut)));
    CHECK(looks_like_text(kManyLengths.substr(cut)));
  }
}

TEST_CASE("each byte of a text alone is text") {
  for (const char byte : kManyLengths) {
    CHECK(looks_like_text(std::string(1, byte)));
  }
}

TEST_CASE("a NUL is no text, wherever it stands") {
  using namespace std::string_literals;
  CHECK_FALSE(looks_like_text("\0"s));
  CHECK_FALSE(looks_like_text("tail\0"s));
  CHECK_FALSE(looks_like_text("mid\0dle"s));
  CHECK_FALSE(looks_like_text("\x80\0"s));
}

TEST_CASE("bytes that no UTF-8 has are no text") {
  CHECK_FALSE(looks_like_text("\xff"));
  CHECK_FALSE(looks_like_text("\xc0\x80"));       // overlong
  CHECK_FALSE(looks_like_text("a\xed\xa0\x80"));  // a surrogate
  CHECK_FALSE(looks_like_text("\xf5\x80\x80\x80"));
  CHECK_FALSE(looks_like_text("caf\xe9 latin 1"));
}

TEST_CASE("a stray continuation byte is excused at the beginning only, and three at most") {
  CHECK(looks_like_text("\x80\x80\x80text"));
  CHECK_FALSE(looks_like_text("\x80\x80\x80\x80text"));
  CHECK_FALSE(looks_like_text("text\x80text"));
  CHECK_FALSE(looks_like_text("text\x80"));
}

TEST_CASE("an unfinished character is excused at the end only") {
  CHECK(looks_like_text("text\xe2\x82"));
  CHECK_FALSE(looks_like_text("\xe2\x82text"));
}

TEST_CASE("the beginnings of common binary files are no text") {
  using namespace std::string_literals;
  CHECK_FALSE(looks_like_text("\x1f\x8b\x08\x00\x00"s));           // gzip
  CHECK_FALSE(looks_like_text("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s));  // png
  CHECK_FALSE(looks_like_text("\x7f\x45LF\x02\x01\x01\x00"s));     // an executable
  CHECK_FALSE(looks_like_text("\x28\xb5\x2f\xfd"s));               // zstd
}
