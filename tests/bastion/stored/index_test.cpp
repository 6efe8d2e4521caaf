// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index/index.h"

#include "tests/bastion/stored/index_sample.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

size_t write(Index& index, std::vector<IndexChange> changes) {
  const auto written = index.write(changes);
  REQUIRE(written);
  return *written;
}

IndexEnd end_of(uint64_t number) {
  return {sample_id(number), RecordingState::ended, 5, 6, 7, "closed", std::string(32, '\xfe')};
}

std::string all_bytes(const std::string& folder) {
  std::ostringstream all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    all << std::ifstream(entry.path(), std::ios::binary).rdbuf();
  }
  return all.str();
}

}  // namespace

TEST_CASE("index: a row comes back whole, also after opening the file again") {
  const TestFolder folder;
  RecordingEntry entry = sample_entry(1);
  entry.agent = "claude";
  entry.person = std::string("a\0\xff'\";--", 8);
  entry.end_ms = 1;
  entry.bytes = ~uint64_t{0};
  entry.frames = 3;
  entry.reason = "closed";
  entry.chain_head = std::string("\0\xff", 2);
  entry.state = RecordingState::set_aside;
  entry.hold = true;
  {
    Index index = open_index(folder / "index.db");
    CHECK(index.is_new());
    put_all(index, {entry});
    CHECK(find_all(index) == std::vector{entry});
  }
  const Index again = open_index(folder / "index.db");
  CHECK_FALSE(again.is_new());
  CHECK(find_all(again) == std::vector{entry});
}

TEST_CASE("index: putting a row again replaces it") {
  const TestFolder folder;
  Index index = open_index(folder / "index.db");
  RecordingEntry entry = sample_entry(1);
  put_all(index, {entry, entry});
  entry.target = "db1";
  put_all(index, {entry});
  CHECK(find_all(index) == std::vector{entry});
}

TEST_CASE("index: an end says how the recording ended, and nothing else changes") {
  const TestFolder folder;
  Index index = open_index(folder / "index.db");
  put_all(index, {sample_entry(1), sample_entry(2)});
  CHECK(write(index, {end_of(1), IndexHold{sample_id(1), true}}) == 0);
  RecordingEntry ended = sample_entry(1);
  ended.state = RecordingState::ended;
  ended.end_ms = 5;
  ended.bytes = 6;
  ended.frames = 7;
  ended.reason = "closed";
  ended.chain_head = std::string(32, '\xfe');
  ended.hold = true;
  CHECK(find_all(index) == std::vector{sample_entry(2), ended});
  CHECK(write(index, {IndexHold{sample_id(1), false}}) == 0);
  ended.hold = false;
  CHECK(find_all(index) == std::vector{sample_entry(2), ended});
}

TEST_CASE("index: a change to a recording that it does not have is counted, the others are done") {
  const TestFolder folder;
  Index index = open_index(folder / "index.db");
  CHECK(write(index, {end_of(1), sample_entry(2), end_of(2), IndexErasure{sample_id(3), 0},
                      IndexHold{sample_id(4), true}}) == 3);
  REQUIRE(find_all(index).size() == 1);
  CHECK(find_all(index).front().state == RecordingState::ended);
}

TEST_CASE("index: nobody stands in the row or in the files of an erased recording") {
  const TestFolder folder;
  Index index = open_index(folder / "index.db");
  RecordingEntry entry = sample_entry(1);
  entry.agent = "canary-agent";
  entry.person = "canary-person";
  entry.issuer = "canary-issuer";
  entry.subject = "canary-subject";
  entry.login = "canary-login";
  entry.address = "canary-address";
  entry.fingerprint = "canary-fingerprint";
  put_all(index, {entry, sample_entry(2)});
  REQUIRE(all_bytes(folder.path()).find("canary") != std::string::npos);
  CHECK(write(index, {IndexErasure{sample_id(1), 77}}) == 0);
  RecordingEntry erased;
  erased.recording = entry.recording;
  erased.state = RecordingState::erased;
  erased.bytes = 77;
  erased.target = entry.target;
  erased.kind = entry.kind;
  erased.start_ms = entry.start_ms;
  CHECK(find_all(index) == std::vector{sample_entry(2), erased});
  CHECK(all_bytes(folder.path()).find("canary") == std::string::npos);
}

TEST_CASE("index: rebuilding keeps the new rows and the changes after them, nothing else") {
  const TestFolder folder;
  Index index = open_index(folder / "index.db");
  put_all(index, {sample_entry(1), sample_entry(2)});
  const std::vector<RecordingEntry> rows = {sample_entry(2), sample_entry(3)};
  const std::vector<IndexChange> changes = {sample_entry(4), IndexErasure{sample_id(9)}};
  REQUIRE(index.replace_all(rows, changes));
  CHECK(find_all(index) == std::vector{sample_entry(4), sample_entry(3), sample_entry(2)});
}

TEST_CASE("index: the file is its owner's alone") {
  const TestFolder folder;
  Index index = open_index(folder / "index.db");
  put_all(index, {sample_entry(1)});
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    INFO(entry.path());
    CHECK(static_cast<unsigned>(entry.status().permissions()) == 0600);
  }
}
