// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/recovery.h"

#include "bastion/stored/unfinished.h"
#include "shared/base/hex.h"
#include "tests/bastion/stored/recordings_world.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

using namespace sallyport;
using namespace sallyport::stored;

namespace {

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    names.push_back(file.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

LoggedRecordings logged(const RecordingsWorld& world, uint64_t size) {
  auto known = logged_recordings(world.log, size);
  REQUIRE(known);
  return std::move(*known);
}

}  // namespace

TEST_CASE("a recording that begins is locked until its last descriptor is closed") {
  RecordingsWorld world;
  const RecordingName name{Id::random(), 0};
  std::optional<RecordingsWorld::Begun> begun = world.begin(name);
  const std::string path = world.folder.path_of(name);
  const auto running = look_at_unfinished(path, name);
  REQUIRE(running);
  CHECK_FALSE(*running);
  REQUIRE(begun->writer.add_event(5, 'o', "hello"));
  REQUIRE(begun->writer.flush());
  const RecordingHead head{name, begun->writer.frames(), begun->writer.chain_head()};
  begun.reset();
  const auto left = look_at_unfinished(path, name);
  REQUIRE((left && *left));
  CHECK((*left)->head == head);
  CHECK_FALSE((*left)->has_end);
}

TEST_CASE("the head of a recording that was cut off is that of its last whole frame") {
  RecordingsWorld world;
  const RecordingName name{Id::random(), 3};
  std::optional<RecordingsWorld::Begun> begun = world.begin(name);
  const RecordingHead head{name, begun->writer.frames(), begun->writer.chain_head()};
  REQUIRE(begun->writer.add_event(5, 'o', "hello"));
  REQUIRE(begun->writer.flush());
  begun.reset();
  const std::string path = world.folder.path_of(name);
  REQUIRE(::truncate(path.c_str(), static_cast<off_t>(std::filesystem::file_size(path)) - 1) == 0);
  const auto left = look_at_unfinished(path, name);
  REQUIRE((left && *left));
  CHECK((*left)->head == head);
  CHECK_FALSE((*left)->has_end);
}

TEST_CASE("another recording under the name of an unfinished one is no end of it") {
  RecordingsWorld world;
  const RecordingName name{Id::random(), 0};
  const RecordingName other{Id::random(), 0};
  (void)world.begin(name);
  CHECK_FALSE(look_at_unfinished(world.folder.path_of(name), other));
  CHECK_FALSE(look_at_unfinished(world.folder.path_of(other), other));  // missing
}

TEST_CASE("a name that is taken is refused and keeps its file") {
  RecordingsWorld world;
  const RecordingName name{Id::random(), 0};
  const auto begun = world.begin(name);
  const auto again = world.folder.create(name, as_bytes("x"));
  CHECK_FALSE(again);
  CHECK(std::filesystem::file_size(world.folder.path_of(name)) > 1000);
}

TEST_CASE("the log knows which recordings have an end") {
  RecordingsWorld world;
  auto ended = world.begin({Id::random(), 0});
  auto running = world.begin({Id::random(), 1});
  REQUIRE(ended.writer.finish());
  world.append({RecordingsWorld::start_entry(ended), RecordingsWorld::start_entry(running),
                RecordingsWorld::end_entry(ended)});
  const auto known = logged(world, 3);
  CHECK(known.ended == std::map<RecordingName, bool>{{ended.name, true}, {running.name, false}});
  CHECK_FALSE(logged_recordings(world.log, 4));  // more than there are
}

TEST_CASE("torn, empty, foreign, renamed and unknown files are set aside and the rest stays") {
  RecordingsWorld world;
  auto good = world.begin({Id::random(), 0});
  auto torn = world.begin({Id::random(), 0});
  const auto unknown = world.begin({Id::random(), 0});
  world.append({RecordingsWorld::start_entry(good), RecordingsWorld::start_entry(torn)});
  const std::string folder = world.folder.path();
  const std::string torn_path = world.folder.path_of(torn.name);
  REQUIRE(::truncate(torn_path.c_str(), 100) == 0);
  const std::string renamed = recording_file_name({Id::random(), 0});
  std::filesystem::copy(world.folder.path_of(good.name), folder + "/" + renamed);
  const std::string empty = recording_file_name({Id::random(), 5});
  std::ofstream(folder + "/" + empty).flush();
  std::ofstream(folder + "/notes.txt") << "hello";
  // An interrupted `sallyport-play rewrap` goes on from it.
  const std::string saved = recording_file_name(good.name) + ".rewrap";
  std::ofstream(folder + "/" + saved) << "hello";
  std::filesystem::create_directory(folder + "/folder");
  std::filesystem::create_symlink("/etc/passwd", folder + "/" + recording_file_name({Id{}, 9}));
  std::filesystem::create_hard_link(world.folder.path_of(good.name),
                                    folder + "/" + recording_file_name({good.name.session, 8}));
  const auto names = world.folder.file_names();
  REQUIRE(names);
  set_aside_foreign(world.folder, *names, logged(world, 2));
  CHECK(names_in(folder) == std::vector<std::string>{recording_file_name(good.name), saved});
  CHECK(names_in(world.root / "set-aside").size() == names->size() - 2);
}

TEST_CASE("what is set aside replaces nothing that was set aside before") {
  RecordingsWorld world;
  for (const char* text : {"first", "second"}) {
    std::ofstream(world.folder.path() + "/notes.txt") << text;
    REQUIRE(world.folder.set_aside("notes.txt"));
  }
  CHECK(names_in(world.root / "set-aside") == std::vector<std::string>{"notes.txt", "notes.txt.1"});
}
