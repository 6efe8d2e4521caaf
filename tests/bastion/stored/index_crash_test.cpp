// SPDX-License-Identifier: Apache-2.0
//
// A process that dies while it writes, and a disk that is full. Children are forked before any
// thread is made.
#include "bastion/stored/index/index_worker.h"
#include "shared/sqlite/statement.h"
#include "tests/bastion/stored/index_sample.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

constexpr uint64_t kBatch = 50;

std::vector<IndexChange> batch(uint64_t number) {
  std::vector<IndexChange> changes;
  for (uint64_t i = 0; i < kBatch; ++i) {
    changes.emplace_back(sample_entry(number * kBatch + i));
  }
  return changes;
}

// Writes batch after batch and a byte to `done` after each; never returns.
[[noreturn]] void write_until_killed(const std::string& path, int done) {
  auto index = Index::open(path);
  for (uint64_t number = 0; index && number < 1000; ++number) {
    if (!index->write(batch(number)) || ::write(done, "+", 1) != 1) {
      break;
    }
  }
  ::_exit(1);
}

// The batches that a child had written for certain when it was killed.
uint64_t write_and_kill(const std::string& path, uint64_t after) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    write_until_killed(path, ends[1]);
  }
  ::close(ends[1]);
  uint64_t written = 0;
  char byte = 0;
  while (written < after && ::read(ends[0], &byte, 1) == 1) {
    ++written;
  }
  ::kill(child, SIGKILL);
  while (::read(ends[0], &byte, 1) == 1) {
    ++written;
  }
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  return written;
}

}  // namespace

TEST_CASE("index: killed between and within transactions it has all batches, each whole") {
  for (uint64_t after = 1; after <= 8; ++after) {
    INFO("killed after " << after);
    const TestFolder folder;
    const uint64_t written = write_and_kill(folder / "index.db", after);
    REQUIRE(written >= after);
    const Index index = open_index(folder / "index.db");
    CHECK_FALSE(std::filesystem::exists(folder / "index.db.damaged"));
    const auto rows = find_all(index).size();
    CHECK(rows % kBatch == 0);
    // One more may have been committed and not yet told.
    CHECK((rows / kBatch == written || rows / kBatch == written + 1));
  }
}

TEST_CASE("index: killed in the middle of a rebuild it is as it was") {
  const TestFolder folder;
  const std::string path = folder / "index.db";
  put_all(*std::make_unique<Index>(open_index(path)), {sample_entry(1), sample_entry(2)});
  const pid_t child = ::fork();
  if (child == 0) {
    // So little cache that the pages of the transaction are in the file when the process ends.
    auto database = open_sqlite(path);
    const bool written =
        database && execute(database->get(),
                            "PRAGMA cache_size=1; BEGIN; DELETE FROM recordings; "
                            "CREATE TABLE filler (x); "
                            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                            "WHERE i < 1000) INSERT INTO filler SELECT zeroblob(2000) FROM n");
    ::_exit(written && std::filesystem::file_size(path + "-wal") > 1'000'000 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  const Index index = open_index(path);
  CHECK(find_all(index) == std::vector{sample_entry(2), sample_entry(1)});
  CHECK_FALSE(std::filesystem::exists(path + ".damaged"));
}

namespace {

void limit_files(rlim_t bytes) {
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = std::min(bytes, limit.rlim_max);
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

// What happens in the child; the line that failed, or 0.
int fill_the_disk(const std::string& path) {
  ::signal(SIGXFSZ, SIG_IGN);
  EventLoop loop;
  IndexWorker::Limits limits;
  limits.retry = std::chrono::milliseconds(20);
  IndexWorker worker(loop, path, limits);
  size_t found = 0;
  const auto find_now = [&] {
    const Status asked = worker.find({}, [&](const auto& rows) {
      found = rows ? rows->size() : 99'999;
      loop.stop();
    });
    if (asked) {
      loop.run();
    }
    return found;
  };
  const auto put_batch = [&](uint64_t number) {
    for (auto& change : batch(number)) {
      worker.put(std::move(change));
    }
  };
  put_batch(0);
  if (find_now() != kBatch)
    return __LINE__;
  worker.begin_rebuild();
  std::vector<RecordingEntry> rows;
  for (const auto& change : batch(0)) {
    rows.push_back(std::get<RecordingEntry>(change));
  }
  worker.finish_rebuild(rows, [&](const Status&) { loop.stop(); });
  loop.run();
  if (worker.needs_reindex())
    return __LINE__;

  limit_files(64 * 1024);
  for (uint64_t number = 1; number < 20; ++number) {
    put_batch(number);
    if (find_now() > number * kBatch + kBatch)
      return __LINE__;
  }
  if (!worker.needs_reindex())
    return __LINE__;
  if (find_now() >= 20 * kBatch)
    return __LINE__;
  const size_t before = found;
  if (find_now() != before)
    return __LINE__;  // it answers with what it has

  limit_files(RLIM_INFINITY);
  // By itself, without anybody asking: until the writes that were kept are done.
  for (int i = 0; i < 500 && worker.needs_reindex(); ++i) {
    loop.call_after(std::chrono::milliseconds(10), [&] { loop.stop(); });
    loop.run();
  }
  if (worker.needs_reindex())
    return __LINE__;
  return find_now() == 20 * kBatch ? 0 : __LINE__;
}

}  // namespace

TEST_CASE("index: a full disk stops nothing, and what was kept is written when there is room") {
  const TestFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(fill_the_disk(folder / "index.db") & 0xff);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  INFO("the line of this file that failed, modulo 256");
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(find_all(open_index(folder / "index.db")).size() == 20 * kBatch);
}
