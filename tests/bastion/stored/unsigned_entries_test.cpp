// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/unsigned_entries.h"

#include "shared/base/hex.h"
#include "shared/evidence/erasure_order.h"
#include "tests/bastion/stored/recordings_world.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

constexpr uint64_t kNothingSigned = 0;

struct World : RecordingsWorld {
  LegalHolds holds = open_holds();
  ErasureConfig erasure;

  LegalHolds open_holds() {
    auto opened = LegalHolds::open(root / "holds");
    REQUIRE(opened);
    return std::move(*opened);
  }
  UnsignedEntries entries() { return UnsignedEntries({folder, log, holds, "node", erasure}); }

  // Of a log whose first `size` entries are signed: which of these stay.
  std::vector<bool> stay(uint64_t size, const std::vector<LogEntry>& asked) {
    UnsignedEntries judge = entries();
    std::vector<bool> answers;
    for (const LogEntry& entry : asked) {
      const auto answer = judge.may_stay(entry, size);
      REQUIRE(answer);
      answers.push_back(*answer);
    }
    return answers;
  }

  LogEntry erase_entry(const RecordingName& name, const std::string& order) {
    LogEntry entry;
    entry.kind = LogEntry::Kind::erase;
    entry.recording = name;
    entry.hash = sha256(as_bytes(order));
    std::filesystem::create_directories(log + "/orders");
    std::ofstream(log + "/orders/" + to_hex(entry.hash)) << order;
    return entry;
  }
  static std::string order(const RecordingName& name, const std::string& node = "node") {
    const auto text =
        erasure_order_text({node, 1763719200000, ErasureOrder::What::key, "reason", {name}});
    REQUIRE(text);
    return *text;
  }
};

LogEntry facts_entry() {
  LogEntry entry;
  entry.kind = LogEntry::Kind::audit;
  return entry;
}

using Answers = std::vector<bool>;

}  // namespace

TEST_CASE("an unsigned entry stays while the disk has what it speaks of") {
  World world;
  auto begun = world.begin({Id::random(), 0});
  REQUIRE(begun.writer.finish());
  const std::vector<LogEntry> both{World::start_entry(begun), World::end_entry(begun)};
  CHECK(world.stay(kNothingSigned, both) == Answers{true, true});
  const std::string path = world.folder.path_of(begun.name);
  // The trailer is not in the chain; a byte less is a frame less.
  REQUIRE(::truncate(path.c_str(), static_cast<off_t>(std::filesystem::file_size(path)) - 25) == 0);
  CHECK(world.stay(kNothingSigned, both) == Answers{true, false});
  REQUIRE(::truncate(path.c_str(), 20) == 0);
  CHECK(world.stay(kNothingSigned, both) == Answers{false, false});
  std::filesystem::remove(path);
  CHECK(world.stay(kNothingSigned, both) == Answers{false, false});
}

TEST_CASE("an unsigned entry that contradicts the signed ones is left out") {
  World world;
  auto begun = world.begin({Id::random(), 0});
  REQUIRE(begun.writer.finish());
  const LogEntry start = World::start_entry(begun);
  const LogEntry end = World::end_entry(begun);
  world.append({start, facts_entry(), end});
  CHECK(world.stay(2, {end}) == Answers{true});
  CHECK(world.stay(3, {end}) == Answers{false});  // a second one
  CHECK(world.stay(3, {start, facts_entry()}) == Answers{false, false});
  CHECK(world.stay(kNothingSigned, {start, facts_entry(), facts_entry(), end, end}) ==
        Answers{true, true, false, true, false});
  CHECK(world.stay(kNothingSigned, {end}) == Answers{false});  // of one that never began
}

TEST_CASE("an unsigned erasure stays while its order may be carried out") {
  World world;
  auto begun = world.begin({Id::random(), 0});
  auto other = world.begin({Id::random(), 0});
  REQUIRE(begun.writer.finish());
  world.append({World::start_entry(begun), World::end_entry(begun), World::start_entry(other)});
  const LogEntry good = world.erase_entry(begun.name, World::order(begun.name));
  CHECK(world.stay(3, {good}) == Answers{true});
  CHECK(world.stay(1, {good}) == Answers{false});  // it still runs
  CHECK(world.stay(3, {world.erase_entry(other.name, World::order(other.name))}) == Answers{false});
  CHECK(world.stay(3, {world.erase_entry(begun.name, World::order(other.name)),
                       world.erase_entry(begun.name, World::order(begun.name, "elsewhere")),
                       world.erase_entry(begun.name, "an order")}) == Answers{false, false, false});
  REQUIRE(world.holds.hold(begun.name, "case 12"));
  CHECK(world.stay(3, {good}) == Answers{false});
  REQUIRE(world.holds.release(begun.name));
  world.erasure.approvers = {
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL ada"};
  world.erasure.approvals = 1;
  CHECK(world.stay(3, {good}) == Answers{false});
  world.erasure = {};
  std::ofstream(world.log + "/orders/" + to_hex(good.hash)) << "cut";
  CHECK(world.stay(3, {good}) == Answers{false});
}

TEST_CASE("after a power loss the log keeps what holds and is signed nowhere else") {
  World world;
  auto there = world.begin({Id::random(), 0});
  auto lost = world.begin({Id::random(), 0});
  REQUIRE(there.writer.finish());
  world.append({World::start_entry(lost), World::start_entry(there), World::end_entry(there)});
  std::filesystem::remove(world.folder.path_of(lost.name));
  UnsignedEntries judge = world.entries();
  const auto opened = TileLog::open(world.log, {}, [&](const LogEntry& entry, uint64_t size) {
    return judge.may_stay(entry, size);
  });
  REQUIRE(opened);
  CHECK(opened->size() == 2);
  const auto known = logged_recordings(world.log, 2);
  REQUIRE(known);
  CHECK(known->ended == std::map<RecordingName, bool>{{there.name, true}});
}
