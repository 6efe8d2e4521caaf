// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index/index_worker.h"

#include "bastion/stored/index/schema.h"
#include "shared/sqlite/statement.h"
#include "tests/bastion/stored/index_sample.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <algorithm>
#include <filesystem>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

struct World {
  explicit World(IndexWorker::Limits limits = {}) { start(limits); }
  void start(IndexWorker::Limits limits = {}) { worker.emplace(loop, path, limits); }

  Result<std::vector<RecordingEntry>> ask(const RecordingsFind& wanted = {}) {
    std::optional<Result<std::vector<RecordingEntry>>> answer;
    const Status asked = worker->find(wanted, [&](auto found) {
      answer = std::move(found);
      loop.stop();
    });
    REQUIRE(asked);
    CHECK_FALSE(answer);  // never inside the call
    loop.run();
    REQUIRE(answer);
    return std::move(*answer);
  }
  std::vector<std::string> ids() {
    const auto found = ask();
    INFO((found ? "" : found.error().message));
    REQUIRE(found);
    return ids_of(*found);
  }
  Status finish_rebuild(std::vector<RecordingEntry> rows) {
    std::optional<Status> answer;
    worker->finish_rebuild(std::move(rows), [&](const Status& status) {
      answer = status;
      loop.stop();
    });
    CHECK_FALSE(answer);
    loop.run();
    REQUIRE(answer);
    return *answer;
  }
  void rebuild_with(std::vector<RecordingEntry> rows) {
    worker->begin_rebuild();
    REQUIRE(finish_rebuild(std::move(rows)));
  }

  TestFolder folder;
  std::string path = folder / "index.db";
  EventLoop loop;
  std::optional<IndexWorker> worker;
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("index worker: a question sees all changes that were put before it") {
  World world;
  for (uint64_t i = 0; i < 1000; ++i) {
    world.worker->put(sample_entry(i));
    if (i % 250 == 0) {
      CHECK(world.ids().size() == i + 1);
    }
  }
  world.worker->put(IndexHold{sample_id(3), true});
  RecordingsFind held;
  held.hold = true;
  const auto found = world.ask(held);
  REQUIRE(found);
  CHECK(ids_of(*found) == Ids{sample_id(3)});
}

TEST_CASE("index worker: what was put before the end is written") {
  World world;
  world.worker->put(sample_entry(1));
  world.worker.reset();
  CHECK(find_all(open_index(world.path)).size() == 1);
}

TEST_CASE("index worker: a new file needs a rebuild, one that is there does not") {
  World world;
  CHECK(world.ids().empty());
  CHECK(world.worker->needs_reindex());
  world.rebuild_with({sample_entry(1)});
  CHECK_FALSE(world.worker->needs_reindex());
  world.start();
  CHECK(world.ids() == Ids{sample_id(1)});
  CHECK_FALSE(world.worker->needs_reindex());
}

TEST_CASE("index worker: what happens while it is rebuilt is not lost") {
  World world;
  world.worker->put(sample_entry(1));
  world.worker->put(sample_entry(2));
  CHECK(world.ids().size() == 2);
  world.worker->begin_rebuild();
  world.worker->put(sample_entry(3));
  CHECK(world.ids().size() == 3);
  world.worker->put(IndexEnd{sample_id(2), RecordingState::ended, 1, 2, 3, "closed", ""});
  // As somebody saw it who looked when 2 was running and 3 was not there.
  std::optional<Status> done;
  world.worker->finish_rebuild({sample_entry(2)}, [&](const Status& status) { done = status; });
  world.worker->put(sample_entry(4));
  CHECK(world.ids() == Ids{sample_id(4), sample_id(3), sample_id(2)});
  REQUIRE(done);
  CHECK(*done);
  RecordingsFind ended;
  ended.state = RecordingState::ended;
  CHECK(ids_of(*world.ask(ended)) == Ids{sample_id(2)});
  CHECK_FALSE(world.worker->needs_reindex());
}

TEST_CASE("index worker: of two rebuilds that overlap neither loses what the other has heard") {
  World world;
  world.worker->begin_rebuild();
  world.worker->put(sample_entry(1));
  world.worker->begin_rebuild();
  world.worker->put(sample_entry(2));
  REQUIRE(world.finish_rebuild({}));
  CHECK(world.ids() == Ids{sample_id(2), sample_id(1)});
  world.worker->put(sample_entry(3));
  REQUIRE(world.finish_rebuild({sample_entry(1)}));
  CHECK(world.ids() == Ids{sample_id(3), sample_id(2), sample_id(1)});
  world.worker->begin_rebuild();
  world.worker->give_up_rebuild();
  world.rebuild_with({sample_entry(4)});
  CHECK(world.ids() == Ids{sample_id(4)});
}

TEST_CASE("index worker: a change without a row asks for a rebuild") {
  World world;
  world.rebuild_with({});
  world.worker->put(IndexErasure{sample_id(1)});
  CHECK(world.ids().empty());
  CHECK(world.worker->needs_reindex());
}

TEST_CASE("index worker: changes beyond its bound are dropped, and it says so") {
  IndexWorker::Limits limits;
  limits.changes = 3;
  World world(limits);
  world.rebuild_with({});
  const auto lock = open_sqlite(world.path);
  REQUIRE(lock);
  REQUIRE(execute(lock->get(), "BEGIN IMMEDIATE"));
  for (uint64_t i = 0; i < 10; ++i) {
    world.worker->put(sample_entry(i));
  }
  CHECK(world.worker->needs_reindex());
  REQUIRE(execute(lock->get(), "ROLLBACK"));
  CHECK(world.ids() == Ids{sample_id(2), sample_id(1), sample_id(0)});
  CHECK(world.worker->needs_reindex());
  world.rebuild_with({});
  CHECK_FALSE(world.worker->needs_reindex());
}

TEST_CASE("index worker: a rebuild during which too much happened is not believed") {
  IndexWorker::Limits limits;
  limits.changes = 3;
  World world(limits);
  world.worker->begin_rebuild();
  for (uint64_t i = 0; i < 10; ++i) {
    world.worker->put(sample_entry(i));
    REQUIRE(world.ask());
  }
  CHECK(world.finish_rebuild({}).error().code == Errc::limit);
  CHECK(world.worker->needs_reindex());
}

TEST_CASE("index worker: too many questions are refused at once") {
  IndexWorker::Limits limits;
  limits.finds = 2;
  World world(limits);
  size_t answered = 0;
  const auto count = [&](const auto&) { answered += 1; };
  CHECK(world.worker->find({}, count));
  CHECK(world.worker->find({}, count));
  CHECK(world.worker->find({}, count).error().code == Errc::limit);
  while (answered < 2) {
    world.loop.call_after(std::chrono::milliseconds(1), [&] { world.loop.stop(); });
    world.loop.run();
  }
  CHECK(world.ids().empty());
}

TEST_CASE("index worker: a file of a newer version stays, and nothing else does") {
  World world;
  world.rebuild_with({sample_entry(1)});
  world.worker.reset();
  REQUIRE(execute(open_sqlite(world.path)->get(), "PRAGMA user_version=99"));
  world.start();
  world.worker->put(sample_entry(2));
  const auto found = world.ask();
  REQUIRE_FALSE(found);
  CHECK(found.error().message.find("newer version") != std::string::npos);
  CHECK(world.worker->needs_reindex());
  CHECK_FALSE(world.finish_rebuild({}));
  world.worker.reset();
  REQUIRE(execute(open_sqlite(world.path)->get(),
                  "PRAGMA user_version=" + std::to_string(index_migrations().size())));
  CHECK(find_all(open_index(world.path)).size() == 1);
}

TEST_CASE("index worker: a file that is damaged under it is set aside, and another is begun") {
  World world;
  world.rebuild_with({sample_entry(1)});
  REQUIRE(execute(open_sqlite(world.path)->get(), "DROP TABLE recordings"));
  const auto found = world.ask();
  REQUIRE_FALSE(found);
  CHECK(found.error().message.find("no such table") != std::string::npos);
  CHECK(world.worker->needs_reindex());
  CHECK(std::filesystem::exists(world.path + ".damaged"));
  world.worker->put(sample_entry(2));
  CHECK(world.ids() == Ids{sample_id(2)});
  world.rebuild_with({sample_entry(1), sample_entry(2)});
  CHECK_FALSE(world.worker->needs_reindex());
}

TEST_CASE("index worker: a change that meets a damaged file is written into the next one") {
  World world;
  world.rebuild_with({sample_entry(1)});
  REQUIRE(execute(open_sqlite(world.path)->get(), "DROP TABLE recordings"));
  world.worker->put(sample_entry(2));
  CHECK(world.ids() == Ids{sample_id(2)});
  CHECK(world.worker->needs_reindex());
}

TEST_CASE("index worker: what it lacks because it cannot be written is said, and comes later") {
  World world;
  CHECK(world.ids().empty());
  CHECK(world.worker->lacks().find("sallyportctl reindex") != std::string::npos);  // it is new
  world.rebuild_with({sample_entry(1)});
  CHECK(world.worker->lacks().empty());
  const auto lock = open_sqlite(world.path);
  REQUIRE(lock);
  REQUIRE(execute(lock->get(), "BEGIN IMMEDIATE"));
  world.worker->put(sample_entry(2));
  CHECK(world.ids() == Ids{sample_id(1)});
  CHECK(world.worker->lacks().find("could not be written: ") != std::string::npos);
  world.worker->begin_rebuild();
  CHECK_FALSE(world.finish_rebuild({sample_entry(1), sample_entry(2)}));
  CHECK(world.worker->lacks().find("reindex") == std::string::npos);
  REQUIRE(execute(lock->get(), "ROLLBACK"));
  CHECK(world.ids() == Ids{sample_id(2), sample_id(1)});
  CHECK(world.worker->needs_reindex());  // the rebuild had more to say
  world.rebuild_with({sample_entry(1), sample_entry(2)});
  CHECK(world.worker->lacks().empty());
}
