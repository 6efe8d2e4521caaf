// SPDX-License-Identifier: Apache-2.0
#include "shared/asciicast/reader.h"

#include "tests/support/catch.h"

using namespace sallyport;

namespace {

struct Read {
  std::vector<AsciicastEvent> events;
  std::optional<AsciicastHeader> header;
  std::string error;
};

Read read(std::string_view file, size_t piece = 1 << 20) {
  AsciicastReader reader;
  Read got;
  Status done = ok();
  for (size_t at = 0; at < file.size() && done; at += piece) {
    done = reader.feed(file.substr(at, piece), got.events);
  }
  if (done) {
    done = reader.finish(got.events);
  }
  got.header = reader.header();
  got.error = done ? "" : done.error().message;
  return got;
}

const std::string kV3 =
    R"({"version":3,"term":{"cols":100,"rows":30,"type":"xterm"},"timestamp":1700000000,)"
    R"("command":"sh","env":{"SHELL":"/bin/sh"},"sallyport":{"who":"ada"}})"
    "\n# a comment\n\n"
    "[0.25,\"o\",\"h\\u00e9\\n\"]\r\n"
    "[0.5,\"r\",\"120x40\"]\n"
    "[0,\"x\",\"0\"]\n";

const std::string kV3Head = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("asciicast v3: header, comment, absolute times, whatever the pieces") {
  const size_t piece = GENERATE(1U, 2U, 7U, 1000U);
  const Read got = read(kV3, piece);
  CHECK(got.error.empty());
  REQUIRE(got.header);
  CHECK(got.header->cols == 100);
  CHECK(got.header->rows == 30);
  CHECK(got.header->term_type == "xterm");
  CHECK(got.header->timestamp == 1700000000);
  CHECK(got.header->command == "sh");
  CHECK(got.header->sallyport == R"({"who":"ada"})");
  const std::vector<AsciicastEvent> want = {
      {250000, 'o', "h\u00e9\n"}, {750000, 'r', "120x40"}, {750000, 'x', "0"}};
  CHECK(got.events == want);
}

TEST_CASE("asciicast v2: times are absolute, TERM is in env") {
  const Read got = read(
      "{\"version\": 2, \"width\": 80, \"height\": 24, \"timestamp\": 1.5, \"env\": {\"TERM\": "
      "\"linux\", \"SHELL\": null}}\n[0.5, \"o\", \"a\"]\n[2, \"o\", \"b\"]\n[1.5,\"i\",\"c\"]\n");
  CHECK(got.error.empty());
  CHECK(got.header->term_type == "linux");
  const std::vector<AsciicastEvent> want = {
      {500000, 'o', "a"}, {2000000, 'o', "b"}, {2000000, 'i', "c"}};
  CHECK(got.events == want);
}

TEST_CASE("asciicast v1: on one line and on many") {
  const std::string file = GENERATE(
      "{\"version\":1,\"width\":80,\"height\":24,\"stdout\":[[0.5,\"a\"],[0.25,\"b\\u001b[0m\"]]}",
      "{\n\"version\": 1,\n\"width\": 80, \"height\": 24,\n\"stdout\": [\n[0.5, \"a\"],\n"
      "[0.25, \"b\\u001b[0m\"]\n]\n}\n");
  const Read got = read(file, 3);
  CHECK(got.error.empty());
  REQUIRE(got.header);
  CHECK(got.header->version == 1);
  const std::vector<AsciicastEvent> want = {{500000, 'o', "a"}, {750000, 'o', "b\x1b[0m"}};
  CHECK(got.events == want);
}

TEST_CASE("asciicast: an error names the line") {
  CHECK(contains(read(kV3Head + "[0,\"o\",\"a\"]\n[1,\"o\"]\n").error, "line 3"));
  for (const char* line :
       {"[-1,\"o\",\"a\"]", "[1e300,\"o\",\"a\"]", "[\"1\",\"o\",\"a\"]", "[1,2,\"a\"]",
        "[1,\"o\",3]", "[1,\"o\",\"a\",4]", "{\"a\":1}", "[[1,\"o\",\"a\"]]", "[1,\"o\",\"\xff\"]",
        "nonsense", "[1,\"o\",\"\\ud800\"]", "[1,\"o\",\"a\"] x", "1", "[]", "[1,\"o\",null]",
        "[1,\"o\",{}]"}) {
    INFO(line);
    const Read got = read(kV3Head + line + "\n[0,\"o\",\"later\"]\n");
    CHECK(contains(got.error, "line 2"));
    CHECK(got.events.empty());
  }
}

TEST_CASE("asciicast: an error does not repeat what the file holds") {
  const std::string error = read(kV3Head +
                                 "[1,\"o\",\"\xc2\x9b"
                                 "31m\x7f \x9b"
                                 "31m\"]\n")
                                .error;
  CHECK(error == "asciicast line 2: not JSON at byte 16");
  CHECK_FALSE(contains(read("{\"version\":2,\"quoted\":\"\x9b\"}\n").error, "quoted"));
  CHECK_FALSE(contains(read(kV3Head + "[1e9999,\"o\",\"a\"]\n").error, "1e9999"));
}

TEST_CASE("asciicast: bad headers are refused") {
  for (const char* header :
       {"", "\n", "[]", "plain text", "{}", "{\"version\":4}", "{\"version\":\"3\"}",
        "{\"version\":3}", "{\"version\":3,\"term\":{\"cols\":80}}",
        "{\"version\":3,\"term\":{\"cols\":-1,\"rows\":2}}",
        "{\"version\":3,\"term\":{\"cols\":1.5,\"rows\":2}}",
        "{\"version\":2,\"width\":80,\"height\":24,\"title\":7}",
        "{\"version\":2,\"width\":80,\"height\":24,\"env\":7}",
        "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":\"now\"}",
        "{\"version\":1,\"width\":80,\"height\":24}",
        "{\"version\":1,\"width\":80,\"height\":24,\"stdout\":[[1,2]]}"}) {
    INFO(header);
    CHECK_FALSE(read(std::string(header) + "\n").error.empty());
  }
}

TEST_CASE("asciicast: a size that is too large is the largest, 0 is the usual one") {
  const auto header = [](const std::string& text) { return read(text + "\n").header; };
  const auto large = header(R"({"version":3,"term":{"cols":65535,"rows":10001}})");
  REQUIRE(large);
  CHECK(large->cols == 10'000);
  CHECK(large->rows == 10'000);
  const auto none = header(R"({"version":2,"width":0,"height":0})");
  REQUIRE(none);
  CHECK(none->cols == 80);
  CHECK(none->rows == 24);
}

TEST_CASE("asciicast: a last line that is cut off is named, the events before it stand") {
  const std::string file = kV3Head + "[0,\"o\",\"a\"]\n[1,\"o\",\"bcd";
  const Read got = read(file);
  CHECK(contains(got.error, "line 3"));
  CHECK(contains(got.error, "cut off"));
  CHECK(got.events.size() == 1);
  CHECK(read(file + "\"]").error.empty());
}

TEST_CASE("asciicast: unknown codes are passed on, long ones left out with their time") {
  const Read got = read(kV3Head + "[1,\"q\",\"a\"]\n[1,\"long\",\"b\"]\n[1,\"o\",\"c\"]\n");
  const std::vector<AsciicastEvent> want = {{1000000, 'q', "a"}, {3000000, 'o', "c"}};
  CHECK(got.events == want);
}

TEST_CASE("asciicast: deep nesting and long lines hit a limit, not the stack") {
  const std::string deep(1000000, '[');
  CHECK_FALSE(read("{\"version\":3,\"sallyport\":" + deep + "\n").error.empty());
  CHECK_FALSE(read(kV3Head + deep + "\n").error.empty());
  AsciicastReader reader;
  std::vector<AsciicastEvent> events;
  REQUIRE(reader.feed(kV3Head, events));
  CHECK_FALSE(reader.feed(std::string(kAsciicastMaxLine + 1, ' '), events));
  CHECK_FALSE(reader.feed("\n", events));
}

TEST_CASE("asciicast: restart_at gives the next event its absolute time") {
  AsciicastReader reader;
  std::vector<AsciicastEvent> events;
  REQUIRE(reader.feed(kV3Head + "[1,\"o\",\"a\"]\n[1,\"o", events));
  reader.restart_at(60000000);
  REQUIRE(reader.feed("[5,\"o\",\"b\"]\n[1,\"o\",\"c\"]\n", events));
  const std::vector<AsciicastEvent> want = {
      {1000000, 'o', "a"}, {60000000, 'o', "b"}, {61000000, 'o', "c"}};
  CHECK(events == want);
}
