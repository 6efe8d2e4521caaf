// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/facts/facts_folder.h"

#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <sys/stat.h>

#include <filesystem>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

const RecordingName kRecording{*Id::from_hex("00112233445566778899aabbccddeeff"), 7};

FactsFile facts_of(const RecordingName& recording) {
  RecordingFacts facts;
  facts.recording = recording_id(recording);
  facts.person = "ada";
  auto file = make_facts_file(facts);
  REQUIRE(file);
  return std::move(*file);
}

struct World {
  FactsFolder open() const {
    auto opened = FactsFolder::open(path);
    REQUIRE(opened);
    return std::move(*opened);
  }
  std::string file() const { return path + "/" + recording_id(kRecording) + ".json"; }
  std::string error() {
    const auto read = facts.read(kRecording);
    REQUIRE_FALSE(read);
    return read.error().message;
  }

  TestFolder folder;
  std::string path = folder / "facts";
  FactsFolder facts = open();
};

size_t files_in(const std::string& path) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
}

}  // namespace

TEST_CASE("facts folder: what was written is read, also later, and by its owner alone") {
  World world;
  const FactsFile facts = facts_of(kRecording);
  REQUIRE(world.facts.write_new(kRecording, facts));
  const auto read = world.open().read(kRecording);
  REQUIRE(read);
  CHECK(*read == facts);
  CHECK(static_cast<unsigned>(std::filesystem::status(world.path).permissions()) == 0700);
  CHECK(static_cast<unsigned>(std::filesystem::status(world.file()).permissions()) == 0600);
  CHECK(files_in(world.path) == 1);
}

TEST_CASE("facts folder: facts are written once") {
  World world;
  const FactsFile first = facts_of(kRecording);
  REQUIRE(world.facts.write_new(kRecording, first));
  const Status second = world.facts.write_new(kRecording, facts_of(kRecording));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::invalid);
  CHECK(second.error().message == world.file() + ": is there already");
  CHECK(*world.facts.read(kRecording) == first);
  CHECK(files_in(world.path) == 1);
}

TEST_CASE("facts folder: what a crash has left is no obstacle") {
  World world;
  world.folder.write("facts/" + recording_id(kRecording) + ".json.new", std::string(20'000, 'x'));
  const auto read = world.facts.read(kRecording);
  REQUIRE(read);
  CHECK_FALSE(*read);
  const FactsFile facts = facts_of(kRecording);
  REQUIRE(world.facts.write_new(kRecording, facts));
  CHECK(*world.facts.read(kRecording) == facts);
  CHECK(files_in(world.path) == 1);
}

TEST_CASE("facts folder: removed facts are gone, and removing again is no error") {
  World world;
  REQUIRE(world.facts.write_new(kRecording, facts_of(kRecording)));
  REQUIRE(world.facts.remove(kRecording));
  REQUIRE(world.facts.remove(kRecording));
  CHECK_FALSE(*world.facts.read(kRecording));
  CHECK(files_in(world.path) == 0);
}

TEST_CASE("facts folder: torn, foreign and linked files are named") {
  World world;
  const std::string name = "facts/" + recording_id(kRecording) + ".json";
  const std::string text = encode_facts_file(facts_of(kRecording));
  world.folder.write(name, text.substr(0, text.size() / 2));
  CHECK(world.error().find(world.file() + ": ") == 0);
  world.folder.write(name, "");
  CHECK(world.error() == world.file() + ": empty");
  world.folder.write(name, std::string(kMaxFactsBytes + 1, ' '));
  CHECK(world.error() == world.file() + " is too long");
  RecordingName other = kRecording;
  other.channel = 8;
  world.folder.write(name, encode_facts_file(facts_of(other)));
  CHECK(world.error() == world.file() + ": these are the facts of " + recording_id(other));
  std::filesystem::rename(world.file(), world.path + "/elsewhere");
  std::filesystem::create_symlink("elsewhere", world.file());
  CHECK(world.error().find(world.file() + ": ") == 0);
  std::filesystem::remove(world.file());
  std::filesystem::create_directory(world.file());
  CHECK(world.error().find(world.file() + ": ") == 0);
}

TEST_CASE("facts folder: a pipe under the name of facts does not hold anybody up") {
  World world;
  REQUIRE(::mkfifo(world.file().c_str(), 0600) == 0);
  CHECK(world.error() == world.file() + ": empty");
}
