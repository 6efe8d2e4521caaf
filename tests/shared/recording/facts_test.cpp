// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/facts.h"

#include "shared/asciicast/reader.h"
#include "shared/asciicast/writer.h"
#include "tests/support/catch.h"

using namespace sallyport;

TEST_CASE("facts: what was written comes back, through an asciicast header") {
  const SessionFacts facts{"ada",      "https://idp", "sub",  "web1",        "root",
                           "[::1]:22", "SHA256:abc",  "exec", "ls \"-l\"\n", "00ff",
                           4294967295, "keystrokes",  "node-1", true};
  AsciicastHeader header;
  header.sallyport = facts_json(facts);
  AsciicastReader reader;
  std::vector<AsciicastEvent> events;
  REQUIRE(reader.feed(asciicast_header_line(header), events));
  const auto back = parse_facts(reader.header()->sallyport);
  REQUIRE(back);
  CHECK(*back == facts);
}

TEST_CASE("facts: empty texts are left out; bytes that are no text are replaced") {
  SessionFacts facts;
  CHECK(facts_json(facts) == R"({"channel":0,"pty":false})");
  CHECK(*parse_facts(facts_json(facts)) == facts);
  facts.command = "a\xff";
  CHECK(facts_json(facts) == R"({"command":"a\ufffd","channel":0,"pty":false})");
}

TEST_CASE("facts: other shapes are refused") {
  for (const char* json :
       {"", "[]", "1", "{}", R"({"channel":0,"pty":1})", R"({"channel":"0","pty":false})",
        R"({"who":1,"channel":0,"pty":true})"}) {
    INFO(json);
    CHECK_FALSE(parse_facts(json));
  }
}
