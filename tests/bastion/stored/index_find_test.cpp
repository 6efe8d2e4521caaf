// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index/find_sql.h"
#include "shared/sqlite/statement.h"
#include "tests/bastion/stored/index_sample.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

using namespace sallyport;
using namespace sallyport::stored;

namespace {

// 0 to 5, each different from the rest in one or two things.
struct Six {
  Six() {
    std::vector<RecordingEntry> entries;
    for (uint64_t i = 0; i < 6; ++i) {
      entries.push_back(sample_entry(i));
    }
    entries[1].person = "bob@example.com";
    entries[1].fingerprint = "SHA256:bob";
    entries[2].target = "db1";
    entries[2].login = "postgres";
    entries[3].address = "[2001:db8::7]:50023";
    entries[3].agent = "deploy-bot";
    entries[4].state = RecordingState::ended;
    entries[4].hold = true;
    entries[5].recording = "f" + sample_id(5).substr(1);
    entries[5].state = RecordingState::cut_off;
    put_all(index, entries);
    all = {entries.rbegin(), entries.rend()};
  }
  TestFolder folder;
  Index index = open_index(folder / "index.db");
  std::vector<RecordingEntry> all;  // newest first

  std::string found(const RecordingsFind& wanted) const {
    std::string numbers;
    for (const auto& entry : find_all(index, wanted)) {
      numbers += std::to_string((entry.start_ms - kSampleStart) / 1000);
    }
    return numbers;
  }
};

struct Question {
  RecordingsFind wanted;
  std::string answer;  // of Six
  std::string index;
};

RecordingsFind with(void (*set)(RecordingsFind&)) {
  RecordingsFind wanted;
  set(wanted);
  return wanted;
}

std::vector<Question> questions() {
  return {
      {{}, "543210", "by_start"},
      {with([](auto& w) { w.person = "bob@example.com"; }), "1", "by_person"},
      {with([](auto& w) { w.person = "ada@example.com"; }), "54320", "by_person"},
      {with([](auto& w) { w.person = "ada"; }), "", "by_person"},
      {with([](auto& w) { w.agent = "deploy-bot"; }), "3", "by_agent"},
      {with([](auto& w) { w.target = "db1"; }), "2", "by_target"},
      {with([](auto& w) { w.login = "root"; }), "54310", "by_login"},
      {with([](auto& w) { w.fingerprint = "SHA256:bob"; }), "1", "by_fingerprint"},
      {with([](auto& w) { w.address = "192.0.2.1:"; }), "54210", "by_address"},
      {with([](auto& w) { w.address = "[2001:db8:"; }), "3", "by_address"},
      {with([](auto& w) { w.address = "\xff"; }), "", "by_address"},
      {with([](auto& w) { w.recording = "0"; }), "43210", "by_recording"},
      {with([](auto& w) { w.recording = "f"; }), "5", "by_recording"},
      {with([](auto& w) { w.recording = sample_id(4); }), "4", "by_recording"},
      {with([](auto& w) { w.state = RecordingState::running; }), "3210", "by_state"},
      {with([](auto& w) { w.state = RecordingState::cut_off; }), "5", "by_state"},
      {with([](auto& w) { w.state = RecordingState::ended; }), "4", "by_start"},
      {with([](auto& w) { w.hold = true; }), "4", "by_hold"},
      {with([](auto& w) { w.since_ms = kSampleStart + 4000; }), "54", "by_start"},
      {with([](auto& w) { w.until_ms = kSampleStart + 2000; }), "10", "by_start"},
      {with([](auto& w) { w.limit = 2; }), "54", "by_start"},
      {with([](auto& w) {
         w.person = "ada@example.com";
         w.target = "web1";
         w.since_ms = kSampleStart + 1000;
         w.until_ms = kSampleStart + 5000;
       }),
       "43", "by_person_target"},
      {with([](auto& w) {
         w.target = "web1";
         w.login = "root";
         w.address = "[";
       }),
       "3", "by_target"},
      {with([](auto& w) {
         w.person = "ada@example.com";
         w.state = RecordingState::cut_off;
       }),
       "5", "by_person"},
      {with([](auto& w) {
         w.recording = "0";
         w.person = "bob@example.com";
       }),
       "1", "by_recording"},
  };
}

std::string plan_of(sqlite3* database, const RecordingsFind& wanted) {
  Statement statement(database, "EXPLAIN QUERY PLAN " + find_sql(wanted).sql);
  std::string plan;
  while (*statement.step()) {
    plan.append(statement.text(3)).append("\n");
  }
  return plan;
}

}  // namespace

TEST_CASE("index: each question finds what has it all, newest first") {
  const Six six;
  for (const Question& question : questions()) {
    INFO(find_sql(question.wanted).sql);
    CHECK(six.found(question.wanted) == question.answer);
  }
}

TEST_CASE("index: each question goes through the index that was chosen, and scans no table") {
  const TestFolder folder;
  open_index(folder / "index.db");
  const auto database = open_sqlite(folder / "index.db");
  REQUIRE(database);
  for (const Question& question : questions()) {
    const std::string plan = plan_of(database->get(), question.wanted);
    INFO(find_sql(question.wanted).sql << "\n" << plan);
    CHECK(plan.rfind("SEARCH recordings USING INDEX " + question.index + " (", 0) == 0);
    const bool is_beginning = question.index == "by_recording" || question.index == "by_address";
    CHECK((plan.find("TEMP B-TREE") != std::string::npos) == is_beginning);
  }
}

TEST_CASE("index: pages join into the whole answer, also within one millisecond") {
  const TestFolder folder;
  Index index = open_index(folder / "index.db");
  std::vector<RecordingEntry> entries;
  for (uint64_t i = 0; i < 20; ++i) {
    entries.push_back(sample_entry(i));
    entries.back().start_ms = kSampleStart + i / 7;
  }
  put_all(index, entries);
  for (const uint64_t until : {uint64_t{0}, kSampleStart + 2}) {
    RecordingsFind wanted;
    wanted.until_ms = until;
    const auto whole = ids_of(find_all(index, wanted));
    std::vector<std::string> pages;
    wanted.limit = 3;
    for (auto page = find_all(index, wanted); !page.empty(); page = find_all(index, wanted)) {
      CHECK(page.size() <= 3);
      const auto ids = ids_of(page);
      pages.insert(pages.end(), ids.begin(), ids.end());
      wanted.before = page.back().recording;
      wanted.before_ms = page.back().start_ms;
    }
    CHECK(pages == whole);
    CHECK(whole.size() == (until == 0 ? 20 : 14));
  }
}

TEST_CASE("index: an answer has a bound") {
  RecordingsFind wanted;
  for (const uint32_t limit : {0U, kMaxFound + 1, ~0U}) {
    wanted.limit = limit;
    CHECK(std::get<int64_t>(find_sql(wanted).values.back()) == kMaxFound);
  }
  wanted.limit = 7;
  CHECK(std::get<int64_t>(find_sql(wanted).values.back()) == 7);
}
