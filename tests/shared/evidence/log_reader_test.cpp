// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/log_reader.h"

#include "shared/base/hex.h"
#include "shared/evidence/tile_log.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <fstream>
#include <sstream>

using namespace sallyport;

namespace {

RecordingName recording(uint8_t number) {
  RecordingName name;
  name.session.bytes.fill(number);
  return name;
}

Sha256Digest digest(const std::string& text) {
  return sha256(as_bytes(text));
}

LogEntry start_of(uint8_t number, uint64_t time_ms = 1000) {
  return {LogEntry::Kind::start, time_ms, recording(number), 0, digest("start"), ""};
}

LogEntry end_of(uint8_t number, uint64_t frames, uint64_t time_ms = 1000) {
  return {LogEntry::Kind::end, time_ms, recording(number), frames, digest("end"), "closed"};
}

LogEntry audit(size_t number, uint64_t time_ms = 1000) {
  return {LogEntry::Kind::audit, time_ms, {}, 0, digest(std::to_string(number)), ""};
}

// A log of these entries, with a checkpoint that nobody signed in earnest: the reader leaves the
// signature to others.
class Log {
public:
  explicit Log(const std::vector<LogEntry>& entries) : log_(*TileLog::open(folder_.path(), {})) {
    append(entries);
    const auto files = log_.files();
    REQUIRE(write_tile_files(folder_.path(), files));
    const Note note{checkpoint_text({"sallyport/node1", files.size, files.root}),
                    {{"sallyport/node1", {1, 2, 3, 4}, std::vector<uint8_t>(64)}}};
    folder_.write("checkpoint", note_text(note));
    remove_obsolete(folder_.path(), files);
  }

  void append(const std::vector<LogEntry>& entries) { REQUIRE(log_.append(entries)); }

  LogEntry heads(const std::vector<RecordingHead>& heads) {
    const std::string text = heads_text(heads);
    std::filesystem::create_directories(folder_ / "heads");
    folder_.write("heads/" + to_hex(digest(text)), text);
    return {LogEntry::Kind::heads, 1000, {}, heads.size(), digest(text), ""};
  }

  LogContents read(std::set<uint64_t> sizes = {}) const {
    const LogQuestions questions{[](const RecordingName&) { return true; }, true, sizes};
    auto contents = read_log(folder_.path(), questions);
    REQUIRE(contents);
    return *contents;
  }

  void flip(const std::string& file, size_t place) const {
    std::fstream stream(folder_ / file, std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(stream);
    stream.seekg(static_cast<std::streamoff>(place));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(place));
    stream.put(static_cast<char>(byte ^ 1));
  }
  const TestFolder& folder() const { return folder_; }

private:
  TestFolder folder_;
  TileLog log_;
};

std::vector<LogEntry> audits(size_t count) {
  std::vector<LogEntry> entries;
  for (size_t i = 0; i < count; ++i) {
    entries.push_back(audit(i));
  }
  return entries;
}

std::string faults(const LogContents& contents) {
  std::string text;
  for (const std::string& fault : contents.faults) {
    text += fault + "\n";
  }
  for (const auto& [name, of_one] : contents.faults_of) {
    for (const std::string& fault : of_one) {
      text += recording_id(name) + ": " + fault + "\n";
    }
  }
  return text;
}

bool says(const LogContents& contents, const std::string& what) {
  INFO(faults(contents));
  return faults(contents).find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("log reader: a log of any size holds") {
  for (const size_t size : {0u, 1u, 2u, 255u, 256u, 257u, 600u}) {
    const Log log(audits(size));
    const auto contents = log.read();
    CHECK(contents.root_holds);
    CHECK(contents.entries == size);
    CHECK(contents.audits.size() == size);
    CHECK(faults(contents).empty());
  }
}

TEST_CASE("log reader: a recording's start, end and heads are collected") {
  Log log({start_of(1), start_of(2), end_of(1, 7)});
  const auto contents = log.read();
  const LoggedRecording& one = contents.recordings.at(recording(1));
  CHECK(one.start->head == digest("start"));
  CHECK(one.end->frames == 7);
  CHECK(one.end->index == 2);
  CHECK(one.end->reason == "closed");
  CHECK_FALSE(contents.recordings.at(recording(2)).end);
}

TEST_CASE("log reader: heads are read from their files") {
  TestFolder scratch;
  const std::string text = heads_text({{recording(1), 5, digest("five")}});
  const LogEntry heads{LogEntry::Kind::heads, 1000, {}, 1, digest(text), ""};
  Log log({start_of(1), heads});
  CHECK(says(log.read(), "is missing"));
  log.heads({{recording(1), 5, digest("five")}});
  const auto contents = log.read();
  CHECK(faults(contents).empty());
  REQUIRE(contents.recordings.at(recording(1)).heads.size() == 1);
  CHECK(contents.recordings.at(recording(1)).heads[0].frames == 5);
  log.flip("heads/" + to_hex(digest(text)), 40);
  CHECK(says(log.read(), "was changed: its SHA-256 is another"));
}

TEST_CASE("log reader: roots at earlier sizes are those of the log as it was") {
  const Log older(audits(300));
  const Log newer(audits(700));
  const auto contents = newer.read({300, 701});
  CHECK(contents.roots.at(300) == older.read().checkpoint.root);
  CHECK_FALSE(contents.roots.contains(701));
}

TEST_CASE("log reader: a changed entry is named, and the others count") {
  auto entries = audits(300);
  entries[17] = start_of(7);
  entries[18] = start_of(8);
  Log log(entries);
  size_t place = 0;
  for (size_t i = 0; i < 17; ++i) {
    place += 2 + log_entry_text(entries[i]).size();
  }
  log.flip("tile/entries/000", place + 2 + 3);  // a digit of the time
  const auto contents = log.read({256});
  CHECK(contents.root_holds);
  CHECK(says(contents, recording_id(recording(7)) + ": entry 17 of the log"));
  CHECK_FALSE(contents.recordings.contains(recording(7)));
  CHECK(contents.recordings.contains(recording(8)));
  const Log first({entries.begin(), entries.begin() + 256});
  CHECK(contents.roots.at(256) == first.read().checkpoint.root);
}

TEST_CASE("log reader: a bundle that is gone loses only what it said") {
  auto entries = audits(600);
  entries[300] = start_of(7);
  entries[10] = start_of(8);
  const Log log(entries);
  REQUIRE(std::filesystem::remove(log.folder() / "tile/entries/001"));
  const auto contents = log.read();
  CHECK(contents.root_holds);
  CHECK(says(contents, "what entries 256 to 511 of the log said is lost"));
  CHECK_FALSE(contents.recordings.contains(recording(7)));
  CHECK(contents.recordings.contains(recording(8)));
}

TEST_CASE("log reader: a wrong hash in a tile of any level is named") {
  const Log log(audits(600));
  log.flip("tile/0/001", 32 * 3);
  CHECK(log.read().root_holds);
  CHECK(says(log.read(), "entry 259"));
  log.flip("tile/0/001", 32 * 3);
  log.flip("tile/1/000.p/2", 32);
  CHECK(log.read().root_holds);
  CHECK(says(log.read(), "tile/1/000: hash 1"));
}

TEST_CASE("log reader: entries and tiles that were both exchanged do not hold") {
  const Log log(audits(300));
  auto others = audits(300);
  others[5] = start_of(1);
  const Log other(others);
  std::filesystem::copy(
      other.folder() / "tile", log.folder() / "tile",
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  CHECK_FALSE(log.read().root_holds);
}

TEST_CASE("log reader: what contradicts what came before is named") {
  const auto read = [](const std::vector<LogEntry>& entries) { return Log(entries).read(); };
  const std::string id = recording_id(recording(1));
  CHECK(says(read({start_of(1), start_of(1)}), id + ": it starts twice"));
  CHECK(says(read({end_of(1, 3)}), id + ": it ends in entry 0 of the log and never started"));
  CHECK(says(read({start_of(1), end_of(1, 3), end_of(1, 3)}), id + ": it ends twice"));
  CHECK(says(read({{LogEntry::Kind::erase, 1000, recording(1), 0, digest("order"), ""}}),
             id + ": it is erased in entry 0 of the log and never started"));
}

TEST_CASE("log reader: heads that contradict are named") {
  const std::string id = recording_id(recording(1));
  const std::vector<RecordingHead> five = {{recording(1), 5, digest("5")}};
  const std::vector<RecordingHead> four = {{recording(1), 4, digest("4")}};
  const auto entry = [](const std::vector<RecordingHead>& heads) {
    return LogEntry{LogEntry::Kind::heads, 1000, {}, heads.size(), digest(heads_text(heads)), ""};
  };
  const auto read = [&](const std::vector<LogEntry>& entries) {
    Log log(entries);
    log.heads(five);
    log.heads(four);
    return log.read();
  };
  CHECK(says(read({entry(five)}), id + ": entry 0 of the log has a head of it, and it never"));
  CHECK(says(read({start_of(1), entry(five), entry(four)}), id + ": it shrank"));
  CHECK(says(read({start_of(1), end_of(1, 5), entry(five)}), "after its end"));
  CHECK(says(read({start_of(1), entry(five), end_of(1, 4)}), "and had 5 before"));
  CHECK(faults(read({start_of(1), entry(four), entry(five), end_of(1, 5)})).empty());
}

TEST_CASE("log reader: a clock that goes back is seen") {
  CHECK(Log({audit(0, 5000), audit(1, 4500)}).read().clock_steps.empty());
  const auto steps = Log({audit(0, 5000), audit(1, 2000), audit(2, 2500)}).read().clock_steps;
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].place.index == 1);
  CHECK(steps[0].back_ms == 3000);
}

TEST_CASE("log reader: entries behind the checkpoint prove nothing, and are known") {
  Log log({start_of(1)});
  log.append({start_of(2), end_of(1, 3)});
  const auto contents = log.read();
  CHECK(contents.entries == 1);
  CHECK_FALSE(contents.recordings.at(recording(1)).end);
  CHECK(contents.unsigned_starts == std::set<RecordingName>{recording(2)});
}

TEST_CASE("log reader: without a checkpoint there is no log") {
  const TestFolder folder;
  CHECK(read_log(folder.path(), {}).error().code == Errc::not_found);
  folder.write("checkpoint", "nonsense");
  CHECK(read_log(folder.path(), {}).error().code == Errc::corrupt);
}

TEST_CASE("log reader: a checkpoint of more entries than there are ends the reading") {
  const Log log(audits(3));
  const Note note{checkpoint_text({"sallyport/node1", UINT64_MAX, {}}),
                  {{"sallyport/node1", {1, 2, 3, 4}, std::vector<uint8_t>(64)}}};
  log.folder().write("checkpoint", note_text(note));
  CHECK_FALSE(log.read().root_holds);
}
