// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex.h"
#include "shared/base/id.h"
#include "shared/base/names.h"
#include "shared/base/printable.h"
#include "shared/base/utf8.h"
#include "tests/support/catch.h"

using namespace sallyport;

TEST_CASE("names from outside keep to one character set") {
  CHECK(is_valid_name("web-1.prod_a"));
  for (const char* bad : {"", ".hidden", "-oProxyCommand", "a,b", "a b", "a/b", "a\n", "a\x80",
                          "a@b", "a%b", "a+b", "..", "a;b", "a'b"}) {
    INFO(bad);
    CHECK_FALSE(is_valid_name(bad));
  }
  CHECK_FALSE(is_valid_name(std::string(65, 'a')));
}

TEST_CASE("a glob matches runs and single characters") {
  CHECK(glob_matches("web*", "web1"));
  CHECK(glob_matches("*", ""));
  CHECK(glob_matches("*a*b", "xxaxxbab"));
  CHECK_FALSE(glob_matches("web?", "web"));
  CHECK_FALSE(glob_matches("web", "web1"));
}

TEST_CASE("printable shows what would act or hide") {
  CHECK(printable("a\x1b[2Jb") == "a\\x1b[2Jb");
  CHECK(printable("\u202egpj.exe") == "\\u{202e}gpj.exe");
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("\xc2\x9b") == "\\u{9b}");
  CHECK(printable("gr\u00fc\u00df") == "gr\u00fc\u00df");
  CHECK(printable("abcdef", 3) == "abc...");
}

TEST_CASE("UTF-8 is checked strictly") {
  CHECK(is_valid_utf8("a\u00e4\u20ac\U0001f600"));
  for (const char* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82"}) {
    CHECK_FALSE(is_valid_utf8(bad));
  }
  CHECK(utf8_step("\xe2\x82").kind == Utf8Step::Kind::incomplete);
  CHECK(utf8_step("\xe2(").kind == Utf8Step::Kind::invalid);
}

TEST_CASE("base64 takes only its canonical spelling") {
  const std::string bytes("\x00\x01\xff\x7e", 4);
  CHECK(to_base64(as_bytes(bytes)) == "AAH/fg==");
  CHECK(as_text(*from_base64("AAH/fg==")) == bytes);
  for (const char* bad : {"AAH/fg=", "AAH/fg", "AAH/fh==", " AAH/fg==", "AAH/f$=="}) {
    CHECK_FALSE(from_base64(bad));
  }
}

TEST_CASE("an id survives its spelling") {
  const Id id = Id::random();
  CHECK(Id::from_hex(id.hex()) == id);
  CHECK_FALSE(Id::from_hex("12"));
  CHECK(Id::random() != id);
}
