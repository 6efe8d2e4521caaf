// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex.h"
#include "shared/base/id.h"
#include "shared/base/log.h"
#include "shared/base/names.h"
#include "shared/base/printable.h"
#include "shared/base/utf8.h"
#include "tests/support/catch.h"

#include <unistd.h>

#include <algorithm>

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

namespace {

// What log() writes, which goes to standard error.
std::string logged(const std::string& value) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int standard_error = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  log_info("login", {{"who", value}});
  ::dup2(standard_error, STDERR_FILENO);
  ::close(standard_error);
  ::close(ends[1]);
  std::string line(4096, '\0');
  line.resize(static_cast<size_t>(std::max<ssize_t>(::read(ends[0], line.data(), line.size()), 0)));
  ::close(ends[0]);
  return line.substr(line.find(",\"event\""));
}

}  // namespace

TEST_CASE("a log line is one line of ASCII JSON whatever a peer sent") {
  const auto line = [](const std::string& value) {
    return ",\"event\":\"login\",\"who\":\"" + value + "\"}\n";
  };
  CHECK(logged("Ren\xc3\xa9 \xf0\x9f\x98\x80") == line("Ren\\u00e9 \\ud83d\\ude00"));
  CHECK(logged("a\n\x1b[2J\"\\\x7f") == line("a\\u000a\\u001b[2J\\\"\\\\\\u007f"));
  CHECK(logged("a\xff\xc3") == line("a\\ufffd\\ufffd"));
}
