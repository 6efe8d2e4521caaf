// SPDX-License-Identifier: Apache-2.0
//
// A channel whose keystrokes are recorded has both of its recordings or is not opened, and stored
// is told the end of each that it has made.
#include "bastion/monitor/channels.h"
#include "shared/base/hex.h"
#include "shared/base/write_and_sync.h"
#include "shared/crypto/age_keys.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

using namespace sallyport;
using monitor::Channels;
using Part = RecordingPart;

namespace {

// A channel that has asked for a terminal and a shell; the test is front, back and stored.
struct World {
  Peer ours[3];  // front, back, stored
  Peer front, back, stored;
  monitor::RecordedSession session;
  std::optional<Channels> channels;
  std::map<Part, std::string> headers;

  explicit World(bool wants_keys = true, bool has_terminal = true) {
    Peer* const theirs[] = {&front, &back, &stored};
    for (size_t i = 0; i < 3; ++i) {
      auto pair = make_peer_pair();
      REQUIRE(pair);
      ours[i] = Peer(std::move(pair->first));
      *theirs[i] = Peer(std::move(pair->second));
    }
    session.session = Id::random();
    session.node = "node";
    session.grant.allowed = static_cast<uint32_t>(Allowed::shell);
    session.grant.recipients = {test_identities().front().recipient().text()};
    if (wants_keys) {
      session.grant.key_recipients = {age_generate_identity().recipient().text()};
    }
    channels.emplace(ours[0], ours[1], ours[2], session);
    REQUIRE(channels->open({0}));
    if (has_terminal) {
      REQUIRE(channels->pty({0, "xterm", 80, 24, ""}));
    }
    REQUIRE(channels->start({0, ChannelKind::shell, ""}));
    while (auto asked = from_stored<OpenRecording>()) {
      headers[asked->part] = asked->header;
    }
  }

  template <class Message>
  std::optional<Message> from(Peer& peer) {
    const auto received = peer.receive();
    if (!received || !*received || (*received)->type != Message::kType) {
      return std::nullopt;
    }
    return *decode<Message>((*received)->body);
  }
  template <class Message>
  std::optional<Message> from_stored() {
    return from<Message>(stored);
  }

  void make(Part part, const MemoryFile& file) {
    std::vector<UniqueFd> fds;
    fds.push_back(file.writing_end());
    const std::string& header = headers.at(part);
    REQUIRE(write_all(fds[0].get(), as_bytes(header)));
    REQUIRE(channels->recording_opened({0, part, true, ""}, fds));
  }
  void refuse(Part part) {
    std::vector<UniqueFd> none;
    REQUIRE(channels->recording_opened({0, part, false, "no room"}, none));
  }
  bool is_refused() {
    REQUIRE(channels->pass_on());
    const auto refused = from<ChannelRefused>(front);
    return refused && refused->text == "sallyport: no room";
  }
};

}  // namespace

TEST_CASE("a terminal's keystrokes are asked for where the grant wants them, and only there") {
  CHECK(World().headers.size() == 2);
  CHECK(World(false).headers.size() == 1);
  CHECK(World(true, false).headers.size() == 1);
  World world;
  CHECK(decode_header(as_bytes(world.headers.at(Part::keystrokes)))->part == Part::keystrokes);
  CHECK(decode_header(as_bytes(world.headers.at(Part::channel)))->part == Part::channel);
}

TEST_CASE("a channel goes to the target when both its recordings are there") {
  World world;
  const MemoryFile first;
  const MemoryFile second;
  world.channels->on_back_ready();
  world.make(Part::keystrokes, first);
  REQUIRE(world.channels->pass_on());
  CHECK_FALSE(world.from<ChannelOpen>(world.back));
  world.make(Part::channel, second);
  REQUIRE(world.channels->pass_on());
  CHECK(world.from<ChannelOpen>(world.back));
}

TEST_CASE("without its keystrokes a channel is not opened") {
  World world;
  const MemoryFile file;
  world.make(Part::channel, file);
  world.refuse(Part::keystrokes);
  CHECK(world.is_refused());
  const auto ended = world.from_stored<RecordingEnded>();
  REQUIRE(ended);
  CHECK(ended->part == Part::channel);
  CHECK(ended->reason == "refused");
  CHECK_FALSE(world.from<ChannelOpen>(world.back));
}

TEST_CASE("what stored makes for a channel that was refused meanwhile is ended") {
  World world;
  const MemoryFile file;
  world.refuse(Part::keystrokes);
  CHECK(world.is_refused());
  CHECK_FALSE(world.from_stored<RecordingEnded>());
  world.make(Part::channel, file);
  const auto ended = world.from_stored<RecordingEnded>();
  REQUIRE(ended);
  CHECK(ended->part == Part::channel);
}

TEST_CASE("a user who leaves before the second recording is there ends the first") {
  World world;
  const MemoryFile file;
  world.make(Part::keystrokes, file);
  REQUIRE(world.channels->user_close({0, false}));
  const auto ended = world.from_stored<RecordingEnded>();
  REQUIRE(ended);
  CHECK(ended->part == Part::keystrokes);
  CHECK(ended->reason == "client");
}
