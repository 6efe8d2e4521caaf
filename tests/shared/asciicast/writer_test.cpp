// SPDX-License-Identifier: Apache-2.0
#include "shared/asciicast/writer.h"

#include "shared/asciicast/exact_bytes.h"
#include "shared/asciicast/reader.h"
#include "shared/base/utf8.h"
#include "tests/shared/crypto/age_tool.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

const AsciicastHeader kHeader = [] {
  AsciicastHeader header;
  header.cols = 132;
  header.rows = 43;
  header.term_type = "xterm-256color";
  header.timestamp = 1700000000;
  header.command = "ls \"quoted\"";
  header.title = "title";
  header.env = {{"SHELL", "/bin/sh"}};
  header.sallyport = R"({"n":[1,2],"who":"ada"})";
  return header;
}();

std::vector<AsciicastEvent> read_all(const std::string& file,
                                     std::optional<AsciicastHeader>* header = nullptr) {
  AsciicastReader reader;
  std::vector<AsciicastEvent> events;
  REQUIRE(reader.feed(file, events));
  REQUIRE(reader.finish(events));
  if (header != nullptr) {
    *header = reader.header();
  }
  return events;
}

std::string write_all(int version, const std::vector<AsciicastEvent>& events) {
  AsciicastHeader header = kHeader;
  header.version = version;
  std::string file = asciicast_header_line(header);
  AsciicastWriter writer(version);
  for (const AsciicastEvent& event : events) {
    writer.append(file, event);
  }
  return file;
}

// One read after another through the encoder, and what comes back from the file.
std::string exact_round_trip(const std::vector<std::string>& reads, std::string* readable) {
  std::string file = asciicast_header_line(kHeader);
  ExactEncoder encoder('o');
  for (const std::string& bytes : reads) {
    encoder.append(file, 1000, bytes);
  }
  std::string exact;
  ExactDecoder decoder;
  for (const AsciicastEvent& event : read_all(file)) {
    if (event.code == 'o') {
      *readable += event.data;
    }
    if (const auto shown = decoder.take(event)) {
      exact += shown->data;
    }
  }
  return exact;
}

}  // namespace

TEST_CASE("asciicast writer: every character of Unicode comes back") {
  std::string all;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c < 0xd800 || c > 0xdfff) {
      append_utf8(all, c);
    }
  }
  const auto events = read_all(write_all(3, {{1, 'o', all}}));
  REQUIRE(events.size() == 1);
  CHECK((events[0].data == all));
}

TEST_CASE("asciicast writer: no control character stands raw in a file") {
  std::string all;
  for (char32_t c = 0; c < 0xa0; ++c) {
    append_utf8(all, c);
  }
  std::string text;
  append_json_string(text, all);
  for (size_t i = 0; i < text.size(); ++i) {
    CHECK(static_cast<unsigned char>(text[i]) >= 0x20);
    CHECK(static_cast<unsigned char>(text[i]) < 0x7f);
  }
}

TEST_CASE("asciicast: v3 to v2 and back keeps header, times and text") {
  const std::vector<AsciicastEvent> events = {
      {1, 'o', "a"}, {500000, 'i', "b"}, {1000020, 'r', "80x24"}, {3600000000, 'm', "mark"}};
  std::optional<AsciicastHeader> header;
  CHECK(read_all(write_all(2, read_all(write_all(3, events))), &header) == events);
  CHECK(header->version == 2);
  CHECK(header->cols == kHeader.cols);
  CHECK(header->term_type == kHeader.term_type);
  CHECK(header->command == kHeader.command);
  CHECK(header->sallyport == kHeader.sallyport);
  CHECK(read_all(write_all(3, read_all(write_all(2, events))), &header) == events);
  CHECK(header->rows == kHeader.rows);
  CHECK(header->timestamp == kHeader.timestamp);
  CHECK(header->title == kHeader.title);
}

TEST_CASE("asciicast writer: v2 leaves out the codes that it does not know") {
  CHECK(read_all(write_all(2, {{1, 'o', "a"}, {2, 'x', "0"}, {3, 'O', "YQ=="}})).size() == 1);
  CHECK(read_all(write_all(3, {{1, 'o', "a"}, {2, 'x', "0"}})).size() == 2);
}

TEST_CASE("asciicast writer: v3 intervals are what the specification shows") {
  CHECK(write_all(3, {{20000, 'o', "a"}, {1020000, 'o', "b"}})
            .ends_with("[0.02,\"o\",\"a\"]\n[1.0,\"o\",\"b\"]\n"));
  CHECK(write_all(2, {{20000, 'o', "a"}, {1020000, 'o', "b"}})
            .ends_with("[0.02,\"o\",\"a\"]\n[1.02,\"o\",\"b\"]\n"));
}

TEST_CASE("asciicast: Debian's asciinema shows our v2 byte for byte") {
  const TempDir dir;
  const std::string text = "h\u00e9llo \x1b[31mred\x1b[0m \U0001f600\r\n\"quoted\\\"\x7f\n";
  dir.write("a.cast", write_all(2, {{0, 'o', text}, {1000, 'o', "end\n"}}));
  REQUIRE(dir.run("HOME=$PWD LC_ALL=C.UTF-8 script -qec 'asciinema cat a.cast > out' /dev/null") ==
          0);
  CHECK(dir.read("out") == text + "end\n");
}

// koko, ContainerSSH: a character split over two packets became U+FFFD.
TEST_CASE("exact bytes: every split point of a multi-byte text is lossless and readable") {
  const std::string text = "a\u00e9\u20ac\U0001f600z";
  for (size_t first = 0; first <= text.size(); ++first) {
    for (size_t second = first; second <= text.size(); ++second) {
      std::vector<std::string> reads;
      for (const std::string& part :
           {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) {
        if (!part.empty()) {
          reads.push_back(part);
        }
      }
      std::string readable;
      CHECK(exact_round_trip(reads, &readable) == text);
      CHECK(readable == text);
    }
  }
}

TEST_CASE("exact bytes: invalid UTF-8 is lossless") {
  const std::string all = [] {
    std::string bytes;
    for (int i = 0; i < 65536; ++i) {
      bytes.push_back(static_cast<char>(i * 31 + i / 256));
    }
    return bytes;
  }();
  std::string readable;
  CHECK((exact_round_trip({all.substr(0, 100), all.substr(100)}, &readable) == all));
  const std::vector<std::string> reads = {"\xe2\x82", "plain", "\xff", "\xf0\x9f", "\xf0\x9f\x98"};
  readable.clear();
  CHECK(exact_round_trip(reads, &readable) == "\xe2\x82plain\xff\xf0\x9f\xf0\x9f\x98");
  CHECK(readable == "\ufffdplain\ufffd\ufffd");
}

TEST_CASE("exact bytes: valid text is one plain event") {
  std::string out;
  ExactEncoder('o').append(out, 20000, "h\u00e9");
  CHECK(out == "[0.02,\"o\",\"h\u00e9\"]\n");
}

TEST_CASE("exact bytes: an O that is not base64 leaves its readable twin") {
  ExactDecoder decoder;
  CHECK_FALSE(decoder.take({0, 'O', "***"}));
  CHECK(decoder.take({0, 'o', "text"}));
}
