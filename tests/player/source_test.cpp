// SPDX-License-Identifier: Apache-2.0
#include "player/event_source.h"
#include "shared/asciicast/writer.h"
#include "shared/recording/writer.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace sallyport;
namespace fs = std::filesystem;

namespace {

// Several segments of output, every event's text its number.
constexpr int kEvents = 60000;

std::string event_text(int i) {
  std::string text = "line " + std::to_string(i) + " ";
  text.resize(90, static_cast<char>('a' + i % 26));
  return text + "\r\n";
}

void write_cast(const fs::path& path, int version) {
  AsciicastHeader header;
  header.version = version;
  std::string out = asciicast_header_line(header);
  AsciicastWriter writer(version);
  for (int i = 0; i < kEvents; ++i) {
    writer.append(out, {static_cast<uint64_t>(i) * 1000, 'o', event_text(i)});
  }
  std::ofstream(path) << out;
}

AgeIdentity write_recording(const fs::path& path, bool ended) {
  AgeIdentity identity = age_generate_identity();
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600));
  AsciicastHeader header;
  header.cols = 100;
  header.sallyport = R"({"pty":false})";
  auto writer = RecordingWriter::create(
      std::move(fd), {Id::random(), 0, "node", 1'790'000'000'000, {identity.recipient()}},
      asciicast_header_line(header));
  for (int i = 0; i < kEvents; ++i) {
    const bool added =
        writer->add_event(static_cast<uint64_t>(i) * 1000, 'o', event_text(i)).has_value();
    if (!added) {
      std::abort();
    }
  }
  const uint8_t bytes[] = {0, 1, 2};
  const bool done = writer->add_bytes(kEvents * 1000ULL, ByteDirection::to_target, bytes) &&
                    (ended ? writer->finish() : writer->flush());
  if (!done) {
    std::abort();
  }
  return identity;
}

std::vector<AsciicastEvent> read_rest(EventSource& source) {
  std::vector<AsciicastEvent> events;
  for (;;) {
    const auto more = source.next(events);
    REQUIRE(more);
    if (!*more) {
      return events;
    }
  }
}

// Reads everything, marking on the way, and then again from every mark.
void check_marks(EventSource& source) {
  std::vector<std::pair<uint32_t, size_t>> marks;
  std::vector<AsciicastEvent> events;
  for (;;) {
    if (const auto mark = source.mark()) {
      marks.emplace_back(*mark, events.size());
    }
    const auto more = source.next(events);
    REQUIRE(more);
    if (!*more) {
      break;
    }
  }
  REQUIRE(marks.size() > 3);
  for (const size_t i : {size_t{0}, marks.size() / 2, marks.size() - 1, size_t{1}}) {
    REQUIRE(source.return_to(marks[i].first));
    const auto rest = read_rest(source);
    const std::vector<AsciicastEvent> expected(
        events.begin() + static_cast<std::ptrdiff_t>(marks[i].second), events.end());
    CHECK(rest == expected);
  }
}

// Reads as far as it goes, which is not the end.
Error why_not_whole(const fs::path& path, const AgeIdentity& identity, EventForm form,
                    std::vector<AsciicastEvent>& events) {
  std::vector<AgeIdentity> identities;
  identities.push_back({SecretBytes(identity.key.span())});
  auto source = open_brec_source(path, std::move(identities), form);
  REQUIRE(source);
  Result<bool> more = true;
  while (more && *more) {
    more = (*source)->next(events);
  }
  REQUIRE_FALSE(more);
  return more.error();
}

}  // namespace

TEST_CASE("an asciicast can be read again from every mark") {
  const TestFolder folder;
  for (const int version : {2, 3}) {
    const fs::path path = folder / std::to_string(version);
    write_cast(path, version);
    auto source = open_source(path, {}, EventForm::exact);
    REQUIRE(source);
    CHECK((*source)->facts().duration_us == (kEvents - 1) * 1000ULL);
    check_marks(**source);
  }
}

TEST_CASE("a recording can be read again from every mark, ended or not") {
  const TestFolder folder;
  for (const bool ended : {true, false}) {
    const fs::path path = folder / (ended ? "ended" : "cut");
    const AgeIdentity identity = write_recording(path, ended);
    std::vector<AgeIdentity> identities;
    identities.push_back({SecretBytes(identity.key.span())});
    auto source = open_brec_source(path, std::move(identities), EventForm::exact);
    REQUIRE(source);
    CHECK((*source)->facts().columns == 100);
    CHECK_FALSE((*source)->facts().has_terminal);
    CHECK((*source)->facts().start_ms == 1'790'000'000'000);
    CHECK((*source)->facts().duration_us == kEvents * 1000ULL);
    const auto events = read_rest(**source);
    REQUIRE(!events.empty());
    CHECK(events.back().code == kBytesNote);
    CHECK(events.back().data == "3 bytes to the target");
    CHECK((*source)->ending().empty() == ended);
    REQUIRE((*source)->return_to(0));
    check_marks(**source);
  }
}

TEST_CASE("a changed recording gives what is genuine, then the error") {
  const TestFolder folder;
  const fs::path path = folder / "r";
  const AgeIdentity identity = write_recording(path, true);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(path) / 2));
    file.put('!');
  }
  std::vector<AsciicastEvent> events;
  CHECK(why_not_whole(path, identity, EventForm::exact, events).code == Errc::corrupt);
  CHECK(events.size() > 100);
  CHECK(events[99].data == event_text(99));
}

TEST_CASE("a recording with a changed header is an error where it ends, if not before") {
  const TestFolder folder;
  const fs::path path = folder / "r";
  const AgeIdentity identity = write_recording(path, true);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40);  // the node's name
    file.put('m');
  }
  for (const EventForm form : {EventForm::exact, EventForm::readable}) {
    std::vector<AsciicastEvent> events;
    const Error why = why_not_whole(path, identity, form, events);
    CHECK(why.message.find("header") != std::string::npos);
  }
}

TEST_CASE("what is neither kind of file is said to be") {
  const TestFolder folder;
  for (const char* text : {"", "hello\n", "{}", "[]", "{\"version\":9}\n"}) {
    std::ofstream(folder / "f") << text;
    CHECK_FALSE(open_source(folder / "f", {}, EventForm::exact));
  }
}

TEST_CASE("an asciicast v1 that is too long to be read says what to do") {
  const TestFolder folder;
  const std::string head = R"({"version":1,"width":80,"height":24,"stdout":[)";
  const std::string end = GENERATE("", "\n");
  std::ofstream file(folder / "f");
  file << head << end;
  for (size_t size = 0; size <= kAsciicastMaxLine; size += 10) {
    file << "[0,\"abc\"]," << end;
  }
  file << "[0,\"end\"]]}" << std::flush;
  const auto source = open_source(folder / "f", {}, EventForm::exact);
  REQUIRE_FALSE(source);
  CHECK(source.error().code == Errc::limit);
  CHECK(source.error().message.find("asciinema convert") != std::string::npos);
}
