// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/facts_file.h"

#include "shared/base/hex.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

constexpr const char* kRecording = "00112233445566778899aabbccddeeff-0";
constexpr const char* kEvent =
    R"({"recording":"00112233445566778899aabbccddeeff-0","person":"ada","agent":"",)"
    R"("issuer":"https://idp","subject":"s","target":"web1","login":"root",)"
    R"("address":"[::1]:22","fingerprint":"SHA256:abc","roles":"users","kind":"shell",)"
    R"("start_ms":1800000000000})";

RecordingFacts adas() {
  return {kRecording, "ada",      "",           "https://idp", "s",     "web1",
          "root",     "[::1]:22", "SHA256:abc", "users",       "shell", 1'800'000'000'000};
}

FactsFile file_of(const RecordingFacts& facts) {
  auto file = make_facts_file(facts);
  REQUIRE(file);
  return std::move(*file);
}

std::string error_of(const std::string& text) {
  const auto file = parse_facts_file(text, "facts/x.json");
  REQUIRE_FALSE(file);
  CHECK(file.error().code == Errc::corrupt);
  CHECK(file.error().message.rfind("facts/x.json: ", 0) == 0);
  return file.error().message.substr(14);
}

std::string event_error_of(std::string event) {
  const auto facts = parse_facts_event(event, "facts/x.json");
  REQUIRE_FALSE(facts);
  CHECK(facts.error().message.rfind("facts/x.json: its event", 0) == 0);
  return facts.error().message;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("facts file: the event is the JSON that the log commits to") {
  const FactsFile file = file_of(adas());
  CHECK(file.event == kEvent);
  const auto back = parse_facts_event(file.event, "x");
  REQUIRE(back);
  CHECK(*back == adas());
}

TEST_CASE("facts file: what was written comes back, with its salt") {
  const FactsFile file = file_of(adas());
  const auto back = parse_facts_file(encode_facts_file(file), "x");
  REQUIRE(back);
  CHECK(*back == file);
  CHECK(file_of(adas()).salt != file.salt);
}

// printf 000102030405060708090a0b0c0d0e0f | xxd -r -p | cat - event | sha256sum
TEST_CASE("facts file: the commitment is that of sha256sum over salt and event") {
  FactsFile file{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, kEvent};
  CHECK(to_hex(commitment(file)) ==
        "4a24a0127bb86630fb63b8b8bceda4d9728e26bd94a1be1ce8d75c917d94cf38");
  file.salt[0] = 1;
  CHECK(to_hex(commitment(file)) !=
        "4a24a0127bb86630fb63b8b8bceda4d9728e26bd94a1be1ce8d75c917d94cf38");
}

TEST_CASE("facts file: bytes that are no text do not break it") {
  RecordingFacts facts = adas();
  facts.login = "a\xff\"\\\n\xc3\xa9";
  facts.person = std::string("\0\xf0\x9f", 3);
  const auto back = parse_facts_file(encode_facts_file(file_of(facts)), "x");
  REQUIRE(back);
  const auto event = parse_facts_event(back->event, "x");
  REQUIRE(event);
  CHECK(event->login == "a\xef\xbf\xbd\"\\\n\xc3\xa9");
  CHECK(event->person == std::string("\0\xef\xbf\xbd", 4));
}

TEST_CASE("facts file: facts without a name or longer than a file are refused") {
  RecordingFacts facts = adas();
  facts.recording = "../x";
  CHECK(make_facts_file(facts).error().code == Errc::invalid);
  facts = adas();
  facts.subject = std::string(kMaxFactsBytes, 'x');
  CHECK(make_facts_file(facts).error().code == Errc::limit);
  facts.subject = std::string(kMaxFactsBytes - 500, 'x');
  CHECK(parse_facts_file(encode_facts_file(file_of(facts)), "x"));
}

TEST_CASE("facts file: other spellings are refused, and the error names the file") {
  const std::string text = encode_facts_file(file_of(adas()));
  CHECK(parse_facts_file(text.substr(0, text.size() - 1), "x"));
  CHECK(error_of("") == "empty");
  CHECK(error_of(std::string(kMaxFactsBytes + 1, ' ')) == "longer than a file of facts may be");
  for (const std::string& other :
       {text + "\n", " " + text, replaced(text, ":", ": "), replaced(text, "{", R"({"salt":"00",)"),
        replaced(text, "{", R"({"more":1,)")}) {
    INFO(other);
    CHECK(error_of(other) == "not as stored writes it");
  }
  for (const std::string& other : {replaced(text, R"("salt":")", R"("salt":"00)"),
                                   replaced(text, R"("salt":")", R"("salt":"g)")}) {
    INFO(other);
    CHECK(error_of(other) == "its salt is not 32 hexadecimal digits");
  }
  for (const std::string other : {"[]", "1", "{", "{}", R"({"salt":1,"event":""})", "\xff"}) {
    INFO(other);
    error_of(other);
  }
}

TEST_CASE("facts file: other spellings of the event are refused") {
  const std::string event = kEvent;
  for (const std::string& other :
       {std::string(), std::string("[]"), event + "\n", replaced(event, "ada", "\\u0061da"),
        replaced(event, R"("agent":"",)", ""), replaced(event, "{", R"({"command":"ls",)"),
        replaced(event, R"("person")", R"("person":"eve","person")"),
        replaced(event, "1800000000000", "-1"), replaced(event, "1800000000000", "1.8e12"),
        replaced(event, "1800000000000", "-1e300"), replaced(event, "1800000000000", "0.0"),
        replaced(event, "1800000000000", R"("1")"), replaced(event, "ff-0", "ff-00")}) {
    INFO(other);
    event_error_of(other);
  }
  event_error_of(std::string(kMaxFactsBytes + 1, ' '));
}
