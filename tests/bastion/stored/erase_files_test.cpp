// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/erase_files.h"

#include "bastion/stored/heads_entries.h"
#include "bastion/stored/legal_holds.h"
#include "shared/base/hex.h"
#include "shared/base/unix_ms.h"
#include "shared/recording/envelope.h"
#include "shared/recording/walker.h"
#include "tests/bastion/stored/recordings_world.h"

#include <fcntl.h>

#include <filesystem>
#include <fstream>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

constexpr uint64_t kTwoDays = 2ULL * 24 * 3600 * 1000;

struct World : RecordingsWorld {
  FactsFolder facts = open_facts(root / "facts");

  static FactsFolder open_facts(const std::string& path) {
    auto folder = FactsFolder::open(path);
    REQUIRE(folder);
    return std::move(*folder);
  }
  RecordingName ended(uint32_t channel) {
    auto begun = begin({Id::random(), channel});
    REQUIRE(begun.writer.finish());
    RecordingFacts who;
    who.recording = recording_id(begun.name);
    const auto file = make_facts_file(who);
    REQUIRE(file);
    REQUIRE(facts.write_new(begun.name, *file));
    append({start_entry(begun), end_entry(begun)});
    return begun.name;
  }
  void append_erasure(const RecordingName& name, ErasureOrder::What what) {
    ErasureOrder order;
    order.node = "node";
    order.made_ms = 1;
    order.what = what;
    order.reason = "why";
    order.recordings = {name};
    const auto text = erasure_order_text(order);
    REQUIRE(text);
    LogEntry entry;
    entry.kind = LogEntry::Kind::erase;
    entry.recording = name;
    entry.hash = sha256(as_bytes(*text));
    std::filesystem::create_directories(log + "/orders");
    std::ofstream(log + "/orders/" + to_hex(entry.hash)) << *text;
    append({entry});
  }
  bool has_key(const RecordingName& name) const {
    UniqueFd fd(::open(folder.path_of(name).c_str(), O_RDONLY | O_CLOEXEC));
    auto walker = RecordingWalker::open(std::make_unique<FdSource>(std::move(fd)));
    REQUIRE(walker);
    return !is_erased(walker->header());
  }
  bool is_there(const RecordingName& name) const {
    return std::filesystem::exists(folder.path_of(name));
  }
  std::vector<RecordingName> finish(uint64_t size) {
    const auto logged = logged_recordings(log, size);
    REQUIRE(logged);
    return finish_erasures(folder, facts, log, *logged);
  }
};

}  // namespace

TEST_CASE("an erased recording has neither key nor facts nor a saved header") {
  World world;
  const RecordingName name = world.ended(0);
  const RecordingName other = world.ended(1);
  const std::string saved = world.folder.path_of(name) + ".rewrap";
  std::ofstream(saved) << "the old header";
  const uint64_t bytes = world.folder.bytes_of(name);
  for (int time = 0; time < 2; ++time) {
    REQUIRE(erase_files(world.folder, world.facts, name, ErasureOrder::What::key));
    CHECK_FALSE(world.has_key(name));
    CHECK(world.folder.bytes_of(name) == bytes);
    CHECK_FALSE(world.facts.has(name));
    CHECK_FALSE(std::filesystem::exists(saved));
  }
  CHECK(world.has_key(other));
  CHECK(world.facts.has(other));
  REQUIRE(erase_files(world.folder, world.facts, name, ErasureOrder::What::file));
  CHECK_FALSE(world.is_there(name));
  REQUIRE(erase_files(world.folder, world.facts, name, ErasureOrder::What::file));
}

TEST_CASE("another recording under the name is not erased") {
  World world;
  const RecordingName name = world.ended(0);
  const RecordingName other = world.ended(1);
  std::filesystem::copy(world.folder.path_of(other), world.folder.path_of(name),
                        std::filesystem::copy_options::overwrite_existing);
  CHECK_FALSE(erase_files(world.folder, world.facts, name, ErasureOrder::What::key));
  CHECK(world.has_key(name));
  CHECK(world.facts.has(name));
}

TEST_CASE("what was erased and is there again is erased again, as its order says") {
  World world;
  const RecordingName key = world.ended(0);
  const RecordingName file = world.ended(1);
  const RecordingName stays = world.ended(2);
  world.append_erasure(key, ErasureOrder::What::key);
  world.append_erasure(file, ErasureOrder::What::file);
  CHECK(world.finish(6).empty());  // the log does not say it yet
  CHECK(world.has_key(key));
  CHECK(world.finish(8).size() == 2);
  CHECK_FALSE(world.has_key(key));
  CHECK_FALSE(world.is_there(file));
  CHECK(world.has_key(stays));
  CHECK(world.finish(8).empty());
}

TEST_CASE("an order that is lost erases the key, not the file") {
  World world;
  const RecordingName name = world.ended(0);
  world.append_erasure(name, ErasureOrder::What::file);
  std::filesystem::remove_all(world.log + "/orders");
  CHECK(world.finish(3) == std::vector{name});
  CHECK_FALSE(world.has_key(name));
}

TEST_CASE("a legal hold stays until it is released") {
  const TestFolder root;
  auto holds = LegalHolds::open(root / "holds");
  REQUIRE(holds);
  const RecordingName name{Id::random(), 3};
  CHECK_FALSE(holds->is_held(name));
  REQUIRE(holds->hold(name, "case 12"));
  CHECK_FALSE(holds->hold(name, "case 13"));
  CHECK(LegalHolds::open(root / "holds")->is_held(name));
  CHECK_FALSE(holds->is_held({name.session, 4}));
  REQUIRE(holds->release(name));
  REQUIRE(holds->release(name));
  CHECK_FALSE(holds->is_held(name));
  std::ofstream(root / "file").flush();
  CHECK_FALSE(LegalHolds::open(root / "file"));
}

TEST_CASE("heads files go when all that had begun before was erased, a day later") {
  World world;
  const auto heads_entry = [&](const std::string& text, uint64_t time_ms) {
    LogEntry entry;
    entry.kind = LogEntry::Kind::heads;
    entry.time_ms = time_ms;
    entry.count = 1;
    entry.hash = sha256(as_bytes(text));
    std::filesystem::create_directories(world.log + "/heads");
    std::ofstream(world.log + "/heads/" + to_hex(entry.hash)) << text;
    return entry;
  };
  const auto has = [&](const std::string& text) {
    return std::filesystem::exists(world.log + "/heads/" + to_hex(sha256(as_bytes(text))));
  };
  const uint64_t now = unix_ms();
  auto first = world.begin({Id::random(), 0});
  auto second = world.begin({Id::random(), 1});
  world.append({RecordingsWorld::start_entry(first), heads_entry("old", now - kTwoDays),
                RecordingsWorld::start_entry(second), heads_entry("of both", now - kTwoDays),
                heads_entry("young", now)});
  std::ofstream(world.log + "/heads/notes.txt").flush();
  remove_old_heads_files(world.log, 5);
  CHECK((has("old") && has("of both") && has("young")));
  REQUIRE(second.writer.finish());
  world.append({RecordingsWorld::end_entry(second)});
  remove_old_heads_files(world.log, 6);
  CHECK((has("old") && has("of both") && has("young")));
  world.append_erasure(first.name, ErasureOrder::What::key);
  remove_old_heads_files(world.log, 7);
  CHECK_FALSE(has("old"));
  CHECK((has("of both") && has("young")));
  world.append_erasure(second.name, ErasureOrder::What::key);
  remove_old_heads_files(world.log, 8);
  CHECK_FALSE(has("of both"));
  CHECK(has("young"));
  CHECK(std::filesystem::exists(world.log + "/heads/notes.txt"));
}
