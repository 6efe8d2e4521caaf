// SPDX-License-Identifier: Apache-2.0
#include "shared/config/json_tree.h"

#include "tests/support/catch.h"

using namespace sallyport;

namespace {

struct Parsed {
  std::optional<JsonNode> root;
  std::vector<Finding> findings;
};

Parsed parse(const std::string& text) {
  Parsed out;
  out.root = parse_json_tree("f.json", text, out.findings);
  return out;
}

}  // namespace

TEST_CASE("every value knows its line", "[config]") {
  const auto parsed =
      parse("// head\n{\n \"a\": 1,\n \"b\": [true,\n  2\n ,\"x\"], /* \n */ \"c\":\n 7\n}\n");
  REQUIRE(parsed.root);
  const auto& children = parsed.root->children;
  CHECK(parsed.root->place.line == 2);
  CHECK(children[0].place.line == 3);
  CHECK(children[1].place.line == 4);
  CHECK(children[1].children[1].place.line == 5);  // a number at the end of its line
  CHECK(children[1].children[2].place.line == 6);
  CHECK(children[2].place.line == 8);
  CHECK(children[2].whole == 7);
}

TEST_CASE("a key that stands twice is a finding with both lines", "[config]") {
  const auto parsed = parse("{\"a\": 1,\n\"b\": {\"a\": 2},\n\"a\": 3}");
  REQUIRE(parsed.findings.size() == 1);
  CHECK(parsed.findings[0].line() ==
        "f.json:3: a: stands twice in the same object, first in line 1; keep one");
}

TEST_CASE("a syntax error names its line", "[config]") {
  const auto parsed = parse("{\n  \"a\": 1,\n}\n");
  CHECK_FALSE(parsed.root);
  REQUIRE(parsed.findings.size() == 1);
  CHECK(parsed.findings[0].line().starts_with("f.json:3: syntax error while parsing object key"));
}

TEST_CASE("broken JSON is an error", "[config]") {
  for (const char* text : {"", " ", "{", "[1,", "{\"a\"}", "{\"a\":}", "nul", "1 2", "\"\xff\"",
                           "{\"a\": 1e999}", "/*", "{'a': 1}", "\xef\xbb"}) {
    INFO(text);
    const auto parsed = parse(text);
    CHECK_FALSE(parsed.root);
    CHECK_FALSE(parsed.findings.empty());
  }
}

TEST_CASE("deep nesting is refused", "[config]") {
  CHECK(parse(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')).root);
  const auto parsed = parse(std::string(200'000, '['));
  CHECK_FALSE(parsed.root);
  CHECK(parsed.findings[0].text == "is nested too deeply");
}

TEST_CASE("what a finding quotes is printable", "[config]") {
  const auto parsed = parse("{\"\\u001b[2J\": 1, \"\\u001b[2J\": 1}");
  REQUIRE(parsed.findings.size() == 1);
  CHECK(parsed.findings[0].line().find('\x1b') == std::string::npos);
}
