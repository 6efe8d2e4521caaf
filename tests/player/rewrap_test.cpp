// SPDX-License-Identifier: Apache-2.0
#include "player/rewrap_file.h"
#include "player/saved_header.h"
#include "shared/asciicast/writer.h"
#include "shared/base/hex.h"
#include "shared/recording/envelope.h"
#include "shared/recording/envelope_in_place.h"
#include "shared/recording/verify.h"
#include "shared/recording/writer.h"
#include "tests/support/catch.h"
#include "tests/support/test_folder.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

using namespace sallyport;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

// Auditors, each with an identity, and a recording.
struct World {
  TestFolder folder;
  const Id session = Id::random();
  const std::string file = folder / "r.brec";
  std::map<std::string, AgeIdentity> people;

  std::vector<AgeIdentity> identities(const Names& names) {
    std::vector<AgeIdentity> found;
    for (const std::string& name : names) {
      const auto [at, is_new] = people.try_emplace(name, age_generate_identity());
      found.push_back(AgeIdentity{SecretBytes(at->second.key.span())});
    }
    return found;
  }
  std::vector<AgeRecipient> recipients(const Names& names) {
    std::vector<AgeRecipient> all;
    for (const AgeIdentity& one : identities(names)) {
      all.push_back(one.recipient());
    }
    return all;
  }

  RecordingWriter begin(const Names& to, const Names& second = {}, const Id* other = nullptr) {
    fs::remove(file);
    RecordingSetup setup{other ? *other : session, 0, "node", 1'790'000'000'000, {}};
    setup.recipients = recipients(to);
    setup.second_recipients = recipients(second);
    UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640));
    auto writer =
        RecordingWriter::create(std::move(fd), setup, asciicast_header_line(AsciicastHeader()));
    REQUIRE(writer);
    REQUIRE(writer->add_event(1, 'o', "before"));
    REQUIRE(writer->flush());
    return std::move(*writer);
  }
  void record(const Names& to, const Names& second = {}) { REQUIRE(begin(to, second).finish()); }

  Status rewrap_to(const Names& to, const Names& second, const Names& who) {
    return rewrap_file(file, identities(who), {recipients(to), recipients(second)});
  }

  static std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Result<RecordingReport> verified(const Names& who) {
    UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    return verify_recording(std::make_unique<FdSource>(std::move(fd)), identities(who));
  }
  bool opens(const Names& who) {
    const auto report = verified(who);
    return report && report->opened;
  }
  bool is_saved() const { return fs::exists(saved_header_path(file)); }
  void erase() const {
    const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(erase_envelope(fd.get(), {session, 0}));
  }
};

// What is outside of the envelope and its length.
std::string rest_of(const std::string& bytes) {
  const size_t size = static_cast<size_t>(static_cast<uint8_t>(bytes.at(8))) * 256;
  return bytes.substr(0, 12) + bytes.substr(16, 112) + bytes.substr(size);
}

// A call before which a crash comes: any of that number, or pwrite(2) at that offset.
struct Crash {
  int call;
  int64_t offset = -1;
};

// The rewrap in a process that dies there. False: it did not get there.
bool rewrap_and_crash(World& world, const Names& to, const Names& who, const Crash& crash) {
  const EnvelopeRecipients recipients{world.recipients(to)};
  const auto identities = world.identities(who);
  const pid_t child = ::fork();
  if (child == 0) {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    const scmp_arg_cmp at_offset{3, SCMP_CMP_EQ, static_cast<uint64_t>(crash.offset), 0};
    const int added = seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, crash.call,
                                             crash.offset < 0 ? 0 : 1, &at_offset);
    if (added != 0 || seccomp_load(filter) != 0) {
      ::_exit(3);
    }
    ::_exit(rewrap_file(world.file, identities, recipients) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

bool says(const Status& failed, std::string_view what) {
  REQUIRE_FALSE(failed);
  INFO(failed.error().message);
  return failed.error().message.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("rewrap: the new people read, the old ones do not; nothing else changes") {
  World world;
  world.record({"old"});
  const std::string before = World::bytes_of(world.file);
  struct stat was {};
  REQUIRE(::stat(world.file.c_str(), &was) == 0);
  REQUIRE(world.rewrap_to({"new", "newer"}, {}, {"old"}));
  CHECK(world.opens({"new"}));
  CHECK(world.opens({"newer"}));
  CHECK_FALSE(world.opens({"old"}));
  const std::string after = World::bytes_of(world.file);
  CHECK(rest_of(after) == rest_of(before));
  CHECK(after.size() == before.size());
  struct stat is {};
  REQUIRE(::stat(world.file.c_str(), &is) == 0);
  CHECK(is.st_ino == was.st_ino);
  CHECK(is.st_mode == was.st_mode);
  CHECK(is.st_mtim.tv_sec == was.st_mtim.tv_sec);
  CHECK(is.st_mtim.tv_nsec == was.st_mtim.tv_nsec);
  CHECK_FALSE(world.is_saved());
}

TEST_CASE("rewrap: a recording for two people takes both, and may become one for one, and back") {
  World world;
  world.record({"a"}, {"b"});
  const std::string before = World::bytes_of(world.file);
  REQUIRE_FALSE(world.rewrap_to({"new"}, {}, {"a"}));
  REQUIRE_FALSE(world.rewrap_to({"new"}, {}, {"b"}));
  CHECK(World::bytes_of(world.file) == before);
  REQUIRE(world.rewrap_to({"new"}, {}, {"b", "a"}));
  CHECK(world.opens({"new"}));
  REQUIRE(world.rewrap_to({"c"}, {"d", "e"}, {"new"}));
  CHECK(world.opens({"c", "e"}));
  CHECK_FALSE(world.opens({"c"}));
  CHECK_FALSE(world.opens({"d", "e"}));
  CHECK_FALSE(world.opens({"new", "a", "b"}));
}

TEST_CASE("rewrap: what is refused changes nothing") {
  World world;
  world.record({"old"});
  const std::string before = World::bytes_of(world.file);
  Names many;
  for (int i = 0; i < 20; ++i) {
    many.push_back("many" + std::to_string(i));
  }
  CHECK_FALSE(world.rewrap_to(many, {}, {"old"}));
  CHECK_FALSE(world.rewrap_to({"new"}, {}, {"stranger"}));
  CHECK(says(world.rewrap_to({"new"}, {"new"}, {"old"}), "both layers"));
  {
    const UniqueFd busy(::open(world.file.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::flock(busy.get(), LOCK_EX) == 0);
    CHECK_FALSE(world.rewrap_to({"new"}, {}, {"old"}));
  }
  CHECK(World::bytes_of(world.file) == before);
  CHECK_FALSE(world.is_saved());
  CHECK(world.rewrap_to({"new"}, {}, {"old"}));
}

TEST_CASE("rewrap: an erased recording stays it, and other files are none of its business") {
  World world;
  world.record({"old"});
  world.erase();
  const std::string before = World::bytes_of(world.file);
  const Status erased = world.rewrap_to({"new"}, {}, {"old"});
  CHECK(says(erased, "was erased"));
  CHECK(erased.error().code == Errc::not_found);
  CHECK(World::bytes_of(world.file) == before);
  const auto who = world.identities({"old"});
  const EnvelopeRecipients to{world.recipients({"new"})};
  CHECK(says(rewrap_file(world.folder.write("text", "hello"), who, to), "not a recording"));
  CHECK(says(rewrap_file(world.folder.path(), who, to), "cannot write"));
  CHECK(says(rewrap_file(world.folder / "none", who, to), "none: No such file"));
}

TEST_CASE("rewrap: an erased recording does not come back from a header that was left beside it") {
  World world;
  world.record({"old"});
  fs::copy_file(world.file, saved_header_path(world.file));
  world.erase();
  CHECK_FALSE(world.rewrap_to({"new"}, {}, {"old"}));
  CHECK_FALSE(world.opens({"new"}));
}

TEST_CASE("rewrap: a recorder that is still at work goes on, and all of it opens afterwards") {
  World world;
  RecordingWriter writer = world.begin({"old"});
  REQUIRE(world.rewrap_to({"new"}, {}, {"old"}));
  REQUIRE(writer.add_event(2, 'o', "after"));
  REQUIRE(writer.finish());
  const auto report = world.verified({"new"});
  REQUIRE(report);
  CHECK(report->ended);
  CHECK(report->opened);
  CHECK(report->head == writer.chain_head());
}

TEST_CASE("rewrap: a damaged recording is re-wrapped, and stays as damaged as it was") {
  World world;
  world.record({"old"});
  std::string bytes = World::bytes_of(world.file);
  bytes[bytes.size() - 60] ^= 1;
  std::ofstream(world.file, std::ios::binary) << bytes;
  REQUIRE(world.rewrap_to({"new"}, {}, {"old"}));
  const auto report = world.verified({"new"});
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::corrupt);
  CHECK(rest_of(World::bytes_of(world.file)) == rest_of(bytes));
}

TEST_CASE("rewrap: wherever a crash comes, the chain verifies and the same command finishes it") {
  const Names three = {"x", "y", "z"};
  const bool longer = GENERATE(true, false);
  const Names before = longer ? Names{"old"} : three;
  const Names after = longer ? three : Names{"new"};
  const Crash crash = GENERATE(Crash{SCMP_SYS(renameat2)}, Crash{SCMP_SYS(pwrite64), 128},
                               Crash{SCMP_SYS(fdatasync)}, Crash{SCMP_SYS(pwrite64), 12},
                               Crash{SCMP_SYS(utimensat)});
  CAPTURE(longer, crash.call, crash.offset);
  World world;
  world.record(before);
  const auto head = world.verified({})->head;
  REQUIRE(rewrap_and_crash(world, after, {before[0]}, crash));
  const auto crashed = world.verified({});
  REQUIRE(crashed);
  CHECK(crashed->head == head);
  REQUIRE(world.rewrap_to(after, {}, {before[0], after[0]}));
  CHECK(world.opens({after.back()}));
  CHECK_FALSE(world.opens({before.back()}));
  CHECK(world.verified({})->head == head);
  CHECK_FALSE(world.is_saved());
}

TEST_CASE("rewrap: an envelope that a crash tore opens by the header that stands beside it") {
  World world;
  world.record({"old"});
  fs::copy_file(world.file, saved_header_path(world.file));
  fs::resize_file(saved_header_path(world.file), 1024);
  std::string torn = World::bytes_of(world.file);
  std::fill(torn.begin() + 200, torn.begin() + 300, '!');
  std::ofstream(world.file, std::ios::binary) << torn;
  CHECK_FALSE(world.opens({"old"}));
  REQUIRE(world.rewrap_to({"new"}, {}, {"old"}));
  CHECK(world.opens({"new"}));
  CHECK_FALSE(world.is_saved());
}

TEST_CASE("rewrap: a header beside it that is another recording's is not taken") {
  World world;
  world.record({"old"});
  fs::copy_file(world.file, saved_header_path(world.file));
  const Id other = Id::random();
  REQUIRE(world.begin({"another"}, {}, &other).finish());
  CHECK_FALSE(world.rewrap_to({"new"}, {}, {"old"}));
  REQUIRE(world.rewrap_to({"new"}, {}, {"another"}));
  CHECK(world.opens({"new"}));
}
