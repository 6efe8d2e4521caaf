// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/writer.h"

#include "shared/base/hex.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <csignal>
#include <random>
#include <thread>

using namespace sallyport;

namespace {

std::string random_text(size_t length) {
  std::mt19937 random(1);
  std::string text(length, 0);
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

std::string bytes_of(const ReadBack& got, ByteDirection direction) {
  std::string bytes;
  for (const RecordingFrame& frame : got.frames) {
    bytes += frame.type == FrameType::bytes && frame.direction == direction ? frame.data : "";
  }
  return bytes;
}

}  // namespace

TEST_CASE("recording: the data frames are an asciicast v3 file") {
  const ReadBack got = read_back(sample_recording());
  CHECK(got.error.empty());
  CHECK(got.ended);
  CHECK(got.text ==
        std::string(kTestHeader) +
            "\n[0.001,\"o\",\"hello\\r\\n\"]\n[0.001,\"O\",\"Y2Fmww==\"]\n[0.0,\"o\",\"caf\"]\n"
            "[0.001,\"O\",\"qQ0K\"]\n[0.0,\"o\",\"\u00e9\\r\\n\"]\n[0.0,\"r\",\"100x30\"]\n"
            "[399.997,\"o\",\"later\"]\n[0.001,\"x\",\"0\"]\n");
  CHECK(shown(got.text) == "hello\r\ncaf\u00e9\r\nlater");
}

TEST_CASE("recording: every frame type comes back in order with its time") {
  const ReadBack got = read_back(sample_recording());
  std::string types;
  for (const RecordingFrame& frame : got.frames) {
    types += static_cast<char>(frame.type);
  }
  CHECK(types == "DDDDBBDSDTDE");
  uint64_t last = 0;
  for (const RecordingFrame& frame : got.frames) {
    CHECK(frame.t_us >= last);
    last = frame.t_us;
  }
}

TEST_CASE("recording: an event's bytes are in the file when flush returns") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  for (int i = 0; i < 20; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    REQUIRE(writer.add_event(static_cast<uint64_t>(i) * 1000, 'o', line));
    REQUIRE(writer.flush());
    CHECK(shown(read_back(file.bytes()).text).ends_with(line));
  }
}

TEST_CASE("recording: a frame is closed by itself at 32 KiB") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  const uint64_t before = writer.frames();
  REQUIRE(writer.add_event(1, 'o', std::string(brec::kFrameInputBytes - 1, 'a')));
  CHECK(writer.frames() == before);
  REQUIRE(writer.add_event(1, 'o', "b"));
  CHECK(writer.frames() == before + 1);
}

TEST_CASE("recording: long output of any bytes is lossless and in frames of their size") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  const std::string bytes = random_text(3'000'000);
  REQUIRE(writer.add_event(5, 'o', bytes));
  REQUIRE(writer.finish());
  const ReadBack got = read_back(file.bytes());
  CHECK(got.error.empty());
  CHECK((shown(got.text) == bytes));
}

TEST_CASE("recording: long valid text is split between characters, not inside one") {
  std::string text = "x";
  while (text.size() < 200'000) {
    text += "\u20ac";
  }
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  REQUIRE(writer.add_event(5, 'o', text));
  REQUIRE(writer.finish());
  const ReadBack got = read_back(file.bytes());
  CHECK(got.text.find("\"O\"") == std::string::npos);
  CHECK((shown(got.text) == text));
}

TEST_CASE("recording: segments end at 1 MiB of text and after 5 min") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  for (uint64_t i = 0; i < 100; ++i) {
    REQUIRE(writer.add_event(i, 'o', std::string(30'000, static_cast<char>('a' + i % 26))));
    REQUIRE(writer.flush());
  }
  REQUIRE(writer.add_event(400'000'000, 'o', "x"));
  REQUIRE(writer.flush());
  CHECK(writer.at_segment_end());
  REQUIRE(writer.add_event(400'000'001, 'o', "y"));
  REQUIRE(writer.finish());
  int segments = 0;
  for (const RecordingFrame& frame : read_back(file.bytes()).frames) {
    segments += frame.starts_segment ? 1 : 0;
  }
  CHECK(segments == 4);  // 3 MB: two ends; the pause: one
}

TEST_CASE("recording: a time that goes back counts as the last one") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  REQUIRE(writer.add_event(5000, 'o', "a"));
  REQUIRE(writer.add_event(3000, 'o', "b"));
  REQUIRE(writer.add_event(7000, 'o', "c"));
  REQUIRE(writer.finish());
  const auto events = events_of(read_back(file.bytes()).text);
  CHECK(events[1].time_us == 5000);
  CHECK(events[2].time_us == 7000);
}

TEST_CASE("recording: bytes of both directions are exact; what does not shrink stays as it is") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  const std::string in = random_text(1'000'000);
  const std::string out(1'000'000, 'z');
  for (size_t at = 0; at < in.size(); at += 10'000) {
    REQUIRE(writer.add_bytes(at, ByteDirection::to_target, as_bytes(in.substr(at, 10'000))));
    REQUIRE(writer.add_bytes(at, ByteDirection::output, as_bytes(out.substr(at, 10'000))));
    REQUIRE(writer.flush());
  }
  REQUIRE(writer.add_bytes(1, ByteDirection::error_output, as_bytes("warning")));
  REQUIRE(writer.finish());
  const ReadBack got = read_back(file.bytes());
  CHECK((bytes_of(got, ByteDirection::to_target) == in));
  CHECK((bytes_of(got, ByteDirection::output) == out));
  CHECK(bytes_of(got, ByteDirection::error_output) == "warning");
}

TEST_CASE("recording: random bytes cost less than 1 % more than themselves") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  REQUIRE(writer.add_bytes(0, ByteDirection::output, as_bytes(random_text(4'000'000))));
  REQUIRE(writer.finish());
  CHECK(file.bytes().size() < 4'040'000);
}

TEST_CASE("recording: text and bytes keep their order") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  REQUIRE(writer.add_event(1, 'o', "first"));
  REQUIRE(writer.add_bytes(2, ByteDirection::output, as_bytes("second")));
  REQUIRE(writer.add_event(3, 'o', "third"));
  REQUIRE(writer.finish());
  const auto frames = read_back(file.bytes()).frames;
  CHECK(frames[1].data == "[0.000001,\"o\",\"first\"]\n");
  CHECK(frames[2].data == "second");
  CHECK(frames[3].data == "[0.000002,\"o\",\"third\"]\n");
}

TEST_CASE("recording: search text is one line each, whatever it holds") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  REQUIRE(writer.add_event(9000, 'o', "a"));
  REQUIRE(writer.add_text(9000, "one\ttwo\nthree"));
  REQUIRE(writer.add_text(9000, "four"));
  REQUIRE(writer.finish());
  for (const RecordingFrame& frame : read_back(file.bytes()).frames) {
    if (frame.type == FrameType::text) {
      CHECK(frame.data == "9000\tone two three\n9000\tfour\n");
    }
  }
}

TEST_CASE("recording: a screen may only stand between two segments") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  CHECK_FALSE(writer.add_screen(0, "screen"));
  REQUIRE(writer.add_event(400'000'000, 'o', "x"));
  CHECK_FALSE(writer.add_screen(400'000'000, "screen"));
  REQUIRE(writer.flush());
  CHECK(writer.add_screen(400'000'000, "screen"));
  CHECK_FALSE(writer.add_screen(400'000'000, "screen"));
}

TEST_CASE("recording: what cannot begin is refused with a reason") {
  const MemoryFile file;
  RecordingSetup setup = test_setup();
  CHECK_FALSE(RecordingWriter::create(file.writing_end(), setup, ""));
  CHECK_FALSE(RecordingWriter::create(file.writing_end(), setup, "{}\n{}"));
  CHECK_FALSE(RecordingWriter::create(file.writing_end(), setup, "\xff"));
  setup.node = "a/b";
  CHECK_FALSE(RecordingWriter::create(file.writing_end(), setup, "{}"));
  setup.node = std::string(33, 'a');
  CHECK_FALSE(RecordingWriter::create(file.writing_end(), setup, "{}"));
  setup.node = "ok";
  setup.recipients.clear();
  CHECK_FALSE(RecordingWriter::create(file.writing_end(), setup, "{}"));
  CHECK(file.bytes().empty());
}

TEST_CASE("recording: events that it does not take, and nothing after the end") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  CHECK_FALSE(writer.add_event(0, 'O', "YQ=="));
  CHECK_FALSE(writer.add_event(0, 'm', std::string(brec::kMaxEventBytes + 1, 'a')));
  REQUIRE(writer.finish());
  CHECK(writer.finish());
  const auto bytes = file.bytes();
  CHECK_FALSE(writer.add_event(0, 'o', "a"));
  CHECK_FALSE(writer.add_event(0, 'x', "a"));
  CHECK_FALSE(writer.add_bytes(0, ByteDirection::output, as_bytes("a")));
  CHECK_FALSE(writer.add_text(0, "a"));
  CHECK_FALSE(writer.add_screen(0, "a"));
  CHECK(file.bytes() == bytes);
}

// Warpgate, koko: the recorder fails and the session goes on.
TEST_CASE("recording: a full disk is an error, then and for ever") {
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const auto created = RecordingWriter::create(std::move(full), test_setup(), kTestHeader);
  REQUIRE_FALSE(created);
  CHECK(created.error().code == Errc::io);
  CHECK(created.error().message.find("-7.brec") != std::string::npos);
  CHECK(created.error().message.find("No space left") != std::string::npos);
}

TEST_CASE("recording: a disk that fills up breaks the writer; what is there stays readable") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  REQUIRE(writer.add_event(1, 'o', "kept"));
  REQUIRE(writer.flush());
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{file.bytes().size() + 20, limit.rlim_max};
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  REQUIRE(writer.add_event(2, 'o', "lost"));
  const Status first = writer.flush();
  const Status again = writer.add_event(3, 'o', "more");
  const Status bytes = writer.add_bytes(3, ByteDirection::output, as_bytes("more"));
  const Status last = writer.finish();
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, old);
  CHECK_FALSE(first);
  CHECK_FALSE(again);
  CHECK_FALSE(bytes);
  CHECK_FALSE(last);
  CHECK_FALSE(writer.flush());
  const ReadBack got = read_back(file.bytes());
  CHECK(got.error.empty());
  CHECK_FALSE(got.ended);
  CHECK(shown(got.text) == "kept");
}

// A pipe with a slow reader and a timer that interrupts: short writes and EINTR all the time.
TEST_CASE("recording: short and interrupted writes are completed with the same bytes") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd reading(ends[0]);
  std::vector<uint8_t> received;
  std::thread reader([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    uint8_t piece[3000];
    for (ssize_t n = 0; (n = ::read(reading.get(), piece, sizeof piece)) > 0;) {
      received.insert(received.end(), piece, piece + n);
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  static int interruptions = 0;
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = [](int) { ++interruptions; };  // no SA_RESTART
  ::sigaction(SIGALRM, &action, &old);
  const itimerval often{{0, 500}, {0, 500}};
  const std::string bytes = random_text(2'000'000);
  ::setitimer(ITIMER_REAL, &often, nullptr);
  {
    auto writer = RecordingWriter::create(UniqueFd(ends[1]), test_setup(), kTestHeader);
    const bool written = writer && writer->add_event(1, 'o', bytes) && writer->finish();
    CHECK(written);
  }
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &old, nullptr);
  reader.join();
  CHECK(interruptions > 10);
  const ReadBack got = read_back(received);
  CHECK(got.error.empty());
  CHECK(got.ended);
  CHECK((shown(got.text) == bytes));
}

TEST_CASE("recording: the writer's heads are what verify computes") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  REQUIRE(writer.add_event(1, 'o', "x"));
  REQUIRE(writer.finish());
  const ReadBack got = read_back(file.bytes());
  CHECK(got.head == to_hex(writer.chain_head()));
  CHECK(got.frames.size() == writer.frames());
  CHECK(file.bytes().size() == writer.bytes_written());
  const auto walker = RecordingWalker::open(source_of(file.bytes()));
  CHECK(to_hex(walker->header().first_head) == to_hex(writer.first_head()));
}
