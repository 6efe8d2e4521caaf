// SPDX-License-Identifier: Apache-2.0
//
// Whatever a client or a target sends, the recording of it plays.
#include "bastion/monitor/channel_recording.h"

#include "shared/asciicast/reader.h"
#include "shared/base/utf8.h"
#include "shared/base/write_and_sync.h"
#include "shared/recording/facts.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

#include <optional>
#include <string>
#include <utility>

using namespace sallyport;
using monitor::ChannelRecording;

namespace {

constexpr size_t kLongestCommand = 96 * 1024;  // front takes no longer one

monitor::RecordedSession recorded_session() {
  monitor::RecordedSession session;
  session.session = Id::random();
  session.node = "node";
  session.address = "192.0.2.1:50022";
  session.grant.recipients = {test_identities().front().recipient().text()};
  return session;
}

ChannelPty terminal_of(uint32_t columns, uint32_t rows, const std::string& term = "xterm") {
  return {0, term, columns, rows, ""};
}

std::string repeated(std::string_view text, size_t bytes) {
  std::string all;
  while (all.size() + text.size() <= bytes) {
    all += text;
  }
  return all;
}

struct Played {
  AsciicastHeader header;
  std::vector<AsciicastEvent> events;
  std::string shown;
};

Played play(const MemoryFile& file) {
  const ReadBack got = read_back(file.bytes());
  CHECK(got.error == "");
  AsciicastReader reader;
  Played played;
  REQUIRE(reader.feed(got.text, played.events));
  REQUIRE(reader.header());
  played.header = *reader.header();
  played.shown = shown(got.text);
  return played;
}

ChannelRecording begin(const MemoryFile& file, const ChannelStart& start,
                       const std::optional<ChannelPty>& pty) {
  const monitor::RecordedSession session = recorded_session();
  auto prepared = monitor::prepare_recording(session, start.channel, RecordingPart::channel);
  REQUIRE(prepared);
  UniqueFd end = file.writing_end();
  REQUIRE(write_all(end.get(), prepared->header));  // as stored does
  auto recording =
      ChannelRecording::begin(std::move(end), std::move(*prepared), session, {start, pty, {}});
  INFO((recording ? "" : recording.error().message));
  REQUIRE(recording);
  return std::move(*recording);
}

Played play_start(const ChannelStart& start, const std::optional<ChannelPty>& pty) {
  const MemoryFile file;
  REQUIRE(begin(file, start, pty).finish());
  return play(file);
}

std::string played_resize(uint32_t columns, uint32_t rows) {
  const MemoryFile file;
  auto recording = begin(file, {}, terminal_of(80, 24));
  REQUIRE(recording.add_resize(columns, rows));
  REQUIRE(recording.finish());
  const Played played = play(file);
  REQUIRE(played.events.size() == 1);
  CHECK(played.events[0].code == 'r');
  return played.events[0].data;
}

}  // namespace

TEST_CASE("a terminal of any size plays; one without a size has the usual one") {
  const auto size = [](uint32_t columns, uint32_t rows) {
    const AsciicastHeader header = play_start({}, terminal_of(columns, rows)).header;
    return std::pair(header.cols, header.rows);
  };
  CHECK(size(132, 43) == std::pair(132u, 43u));
  CHECK(size(10'000, 1) == std::pair(10'000u, 1u));
  CHECK(size(10'001, UINT32_MAX) == std::pair(10'000u, 10'000u));
  CHECK(size(0, 50) == std::pair(80u, 50u));
  CHECK(size(0, 0) == std::pair(80u, 24u));
}

TEST_CASE("a change to any size plays") {
  CHECK(played_resize(132, 43) == "132x43");
  CHECK(played_resize(UINT32_MAX, 10'001) == "10000x10000");
  CHECK(played_resize(0, 0) == "80x24");
}

TEST_CASE("a terminal of any name plays") {
  for (const std::string& term : {std::string(), std::string("\xff\xfe\x01\"\\"),
                                  std::string("\x1b]0;t\x07\n"), repeated("\u20ac", 256)}) {
    INFO(term);
    CHECK(play_start({}, terminal_of(80, 24, term)).header.term_type.empty() == term.empty());
  }
}

TEST_CASE("a command of any bytes and the greatest length plays") {
  for (const std::string_view unit : {"x", "\x01", "\xff", "\"", "\\", "\n", "\x7f", "\u20ac",
                                      "\U0001f600", "\xed\xa0\x80", "\xc3", "\xe2\x80\xae"}) {
    for (const size_t bytes : {size_t{100}, kLongestCommand}) {
      INFO(unit << " up to " << bytes);
      const std::string command = repeated(unit, bytes);
      const Played played = play_start({0, ChannelKind::exec, command}, std::nullopt);
      CHECK_FALSE(played.header.command.empty());
      const auto facts = parse_facts(played.header.sallyport);
      REQUIRE(facts);
      CHECK((facts->command == command) == is_valid_utf8(command));
    }
  }
}

TEST_CASE("output of any bytes plays, byte for byte, in whatever pieces") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  all +=
      "\u20ac\U0001f600\x1b[8;65535;65535t\x1b]0;title\x07" + repeated({"\xff\0\u20ac", 5}, 20'000);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{40'000}}) {
    const MemoryFile file;
    auto recording = begin(file, {}, terminal_of(80, 24));
    for (size_t at = 0; at < all.size(); at += piece) {
      REQUIRE(recording.add_output(Stream::output, std::string_view(all).substr(at, piece)));
    }
    REQUIRE(recording.add_exit(UINT32_MAX));
    REQUIRE(recording.finish());
    CHECK(play(file).shown == all);
  }
}
