// SPDX-License-Identifier: Apache-2.0
//
// A disk that takes no more, descriptors that are used up, and the end at any moment.
#include "tests/shared/evidence/test_log.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

using namespace sallyport;
using namespace sallyport::test;

namespace {

// `action` returns 0, or the line where something was wrong.
int in_child(const std::function<int()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(action() & 0xff);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void limit(__rlimit_resource what, rlim_t soft) {
  rlimit both{};
  ::getrlimit(what, &both);
  both.rlim_cur = std::min(soft, both.rlim_max);
  ::setrlimit(what, &both);
}

#define MUST(condition) \
  if (!(condition)) {   \
    return __LINE__;    \
  }

// With files of `bytes` at most, entries are appended three at a time; then without a limit.
int fill_up(const TestLog& test, rlim_t bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  auto log = test.open();
  MUST(log);
  const uint64_t before = log->size();
  const auto root = log->root();
  const auto files = test.files();
  limit(RLIMIT_FSIZE, bytes);
  const bool failed = !log->append(audit_entries(before, before + 3));
  const bool failed_again = !log->append(audit_entries(log->size(), log->size() + 3));
  limit(RLIMIT_FSIZE, RLIM_INFINITY);
  MUST(!log->broken());
  if (failed) {
    MUST(failed_again && log->size() == before && log->root() == root && test.files() == files);
    const auto other = test.open();
    MUST(other && other->size() == before && other->root() == root);
  }
  MUST(log->append(audit_entries(log->size(), log->size() + 5)));
  MUST(log->root() == audit_root(log->size()));
  const auto other = test.open();
  MUST(other && other->size() == log->size() && other->root() == log->root());
  return failed ? 0 : 255;
}

}  // namespace

TEST_CASE("a full disk leaves the log as it was, at any byte") {
  for (const uint64_t size : {2U, 255U, 256U}) {
    TestLog test;
    test.fill(size, size / 2);
    // Of the file that the first of the new entries goes to.
    const size_t last = test.files()["pending-" + std::to_string(size / 256)].size();
    int failed = 0;
    for (size_t room = 0; room < 6 * entry_bytes(0); room += 29) {
      TestLog full(test);
      INFO(size << " entries, room for " << room << " bytes");
      const int line = in_child([&] { return fill_up(full, last + room); });
      CHECK((line == 0 || line == 255));
      failed += line == 0;
    }
    CHECK(failed > 3);
  }
}

TEST_CASE("without a descriptor for the next bundle the log is as it was") {
  for (const uint64_t size : {254U, 255U, 256U}) {
    TestLog test;
    test.fill(size, 1);
    CHECK(in_child([&] {
            auto log = test.open();
            MUST(log);
            rlimit before{};
            ::getrlimit(RLIMIT_NOFILE, &before);
            // The bundle is filled by one append and the next begun by another, or by one.
            if (size == 255) {
              MUST(log->append({audit_entry(255)}));
            }
            const uint64_t had = log->size();
            const auto root = log->root();
            limit(RLIMIT_NOFILE, static_cast<rlim_t>(UniqueFd(::open("/", O_RDONLY)).get()));
            const bool failed = !log->append(audit_entries(had, had + 5));
            limit(RLIMIT_NOFILE, before.rlim_cur);
            // 256 were opened with the descriptor of their next bundle.
            MUST(failed == (size != 256));
            MUST(!log->broken());
            MUST(!failed || (log->size() == had && log->root() == root));
            MUST(log->append(audit_entries(log->size(), 300)));
            const auto other = test.open();
            MUST(other && other->size() == 300 && other->root() == audit_root(300));
            return 0;
          }) == 0);
  }
}

TEST_CASE("where not even the old state can be had, nothing is written any more") {
  TestLog test;
  test.fill(255, 1);
  CHECK(in_child([&] {
          auto log = test.open();
          MUST(log);
          // The next bundle cannot be made, and the last one is not there to be cut.
          MUST(::mkdir((test / "pending-1").c_str(), 0700) == 0);
          MUST(::unlink((test / "pending-0").c_str()) == 0);
          MUST(!log->append(audit_entries(255, 258)));
          MUST(log->broken());
          MUST(!log->append({audit_entry(255)}));
          return 0;
        }) == 0);
}

TEST_CASE("tiles that cannot be written are an error, and can be written again") {
  TestLog test;
  TileLog log = test.opened();
  REQUIRE(log.append(audit_entries(0, 300)));
  const TileFiles files = log.files();
  CHECK(in_child([&] {
          ::signal(SIGXFSZ, SIG_IGN);
          limit(RLIMIT_FSIZE, 100);
          return write_tile_files(test.folder(), files) ? 1 : 0;
        }) == 0);
  for (const auto& [name, bytes] : test.files()) {
    CHECK(name.starts_with("pending-"));  // nothing half, under no name
  }
  CHECK(write_tile_files(test.folder(), files));
}

namespace {

// Appends batches of 1 to 5 and tells after each how many entries there are; publishes now and
// then, and tells of that by the sign: before it removes anything, as stored writes the checkpoint.
[[noreturn]] void append_on(TestLog& test, int out) {
  auto opened = test.open();
  if (!opened) {
    ::_exit(1);
  }
  for (uint64_t turn = 0;; ++turn) {
    const uint64_t end = opened->size() + 1 + turn % 5;
    if (!opened->append(audit_entries(opened->size(), end))) {
      ::_exit(2);
    }
    const bool publishes = turn % 40 == 39;
    const TileFiles tiles = publishes ? opened->files() : TileFiles{};
    if (publishes && !write_tile_files(test.folder(), tiles)) {
      ::_exit(3);
    }
    const int64_t told = static_cast<int64_t>(end) * (publishes ? -1 : 1);
    if (::write(out, &told, sizeof told) != sizeof told) {
      ::_exit(4);
    }
    remove_obsolete(test.folder(), tiles);
  }
}

}  // namespace

TEST_CASE("killed at any moment, every entry that was taken is there") {
  TestLog test;
  for (int round = 0; round < 25; ++round) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      append_on(test, ends[1]);
    }
    ::close(ends[1]);
    uint64_t taken = 0;
    uint64_t published = test.last ? test.last->size : 0;
    const auto read_one = [&] {
      int64_t told = 0;
      if (::read(ends[0], &told, sizeof told) != sizeof told) {
        return false;
      }
      taken = static_cast<uint64_t>(std::abs(told));
      published = told < 0 ? taken : published;
      return true;
    };
    for (int i = 0; i < 7 * round % 97; ++i) {
      REQUIRE(read_one());
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    while (read_one()) {
    }
    ::close(ends[0]);
    if (published > 0) {
      test.last = Checkpoint{"test", published, audit_root(published)};
    }
    const TileLog log = test.opened();
    REQUIRE(log.size() >= taken);
    REQUIRE(log.root() == audit_root(log.size()));
  }
  CHECK(test.opened().size() > 500);
}
