// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/peer.h"

#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace sallyport;

namespace {

std::pair<Peer, Peer> connected() {
  auto pair = make_peer_pair();
  REQUIRE(pair);
  return {Peer(std::move(pair->first)), Peer(std::move(pair->second))};
}

}  // namespace

TEST_CASE("a message arrives whole, with its descriptor") {
  auto [left, right] = connected();
  int pipe_fds[2];
  REQUIRE(::pipe(pipe_fds) == 0);
  const UniqueFd read_end(pipe_fds[0]);
  const UniqueFd write_end(pipe_fds[1]);
  REQUIRE(left.send(Answer{true, "yes"}, {write_end.get()}));
  auto received = right.receive();
  REQUIRE(received);
  REQUIRE(*received);
  CHECK((*received)->type == MessageType::answer);
  CHECK(decode<Answer>((*received)->body)->text == "yes");
  REQUIRE((*received)->fds.size() == 1);
  REQUIRE(::write((*received)->fds[0].get(), "x", 1) == 1);
  char byte = 0;
  CHECK(::read(read_end.get(), &byte, 1) == 1);
  CHECK(byte == 'x');
}

TEST_CASE("what a full socket does not take waits and goes out in order") {
  auto [left, right] = connected();
  const std::string bulk(kMaxDataBytes, 'b');
  uint32_t sent = 0;
  while (!left.wants_write()) {
    REQUIRE(left.send(ChannelData{sent++, Stream::output, bulk}));
  }
  CHECK(left.queued_bytes() > kMaxDataBytes);
  for (uint32_t expected = 0; expected < sent;) {
    auto received = right.receive();
    REQUIRE(received);
    if (!*received) {
      REQUIRE(left.flush());
      continue;
    }
    CHECK(decode<ChannelData>((*received)->body)->channel == expected++);
  }
  CHECK(left.queued_bytes() == 0);
}

TEST_CASE("what a peer said before it went is read, whatever was sent to it meanwhile") {
  const bool left_unread = GENERATE(false, true);
  const bool sent_after = GENERATE(false, true);
  CAPTURE(left_unread, sent_after);
  auto [left, right] = connected();
  if (left_unread) {
    REQUIRE(right.send(Answer{true, "not read"}));
  }
  REQUIRE(left.send(Answer{true, "last words"}));
  left.close();
  if (sent_after) {
    CHECK(right.send(Answer{true, "too late"}));
    CHECK_FALSE(right.wants_write());
  }
  auto received = right.receive();
  REQUIRE(received);
  REQUIRE(*received);
  CHECK(decode<Answer>((*received)->body)->text == "last words");
  CHECK_FALSE(right.receive());
  CHECK_FALSE(right.receive());
}

TEST_CASE("what waits for a peer that goes is dropped") {
  auto [left, right] = connected();
  while (!left.wants_write()) {
    REQUIRE(left.send(ChannelData{0, Stream::output, std::string(kMaxDataBytes, 'b')}));
  }
  right.close();
  CHECK(left.flush());
  CHECK_FALSE(left.wants_write());
  CHECK(left.queued_bytes() == 0);
  CHECK_FALSE(left.receive());
}

TEST_CASE("a datagram with a wrong length, version or size is refused") {
  const auto good = encode(Answer{true, "x"});
  for (const size_t broken_at : {2UL, 3UL, 4UL, 7UL}) {
    auto [left, right] = connected();
    auto bytes = good;
    bytes[broken_at] ^= 1;
    REQUIRE(::send(left.fd(), bytes.data(), bytes.size(), 0) > 0);
    const auto received = right.receive();
    REQUIRE_FALSE(received);
    CHECK(received.error().code == Errc::protocol);
  }
}

TEST_CASE("a message over the limit is not sent") {
  auto [left, right] = connected();
  CHECK_FALSE(left.send(Answer{true, std::string(kMaxMessageBytes, 'x')}));
}
