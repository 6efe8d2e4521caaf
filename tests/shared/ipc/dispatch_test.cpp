// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/dispatch.h"

#include "tests/support/catch.h"

using namespace sallyport;

namespace {

enum class State { waiting, open };

struct Server {
  int starts = 0;
  Status answer_start(const ChannelStart& start) {
    starts += static_cast<int>(start.channel);
    return ok();
  }
  Status answer_eof(const ChannelEof&) { return ok(); }
};

constexpr AllowedMessage<Server> kTable[] = {
    allow<&Server::answer_start>(in(State::waiting, State::open), Times::once),
    allow<&Server::answer_eof>(in(State::open), Times::many),
};

template <class Message>
Status deliver(Server& server, State state, std::set<MessageType>& seen, const Message& message) {
  const auto bytes = encode(message);
  Received received{Message::kType, std::span(bytes).subspan(kMessageHeaderBytes), {}};
  return dispatch<Server>(kTable, server, state, seen, received);
}

}  // namespace

TEST_CASE("the table lets through what it lists, in its state") {
  Server server;
  std::set<MessageType> seen;
  CHECK(deliver(server, State::waiting, seen, ChannelStart{5, ChannelKind::shell, ""}));
  CHECK(server.starts == 5);
  CHECK_FALSE(deliver(server, State::waiting, seen, ChannelEof{1}));
  CHECK(deliver(server, State::open, seen, ChannelEof{1}));
}

TEST_CASE("a message for once is refused the second time") {
  Server server;
  std::set<MessageType> seen;
  CHECK(deliver(server, State::open, seen, ChannelStart{1, ChannelKind::shell, ""}));
  CHECK_FALSE(deliver(server, State::open, seen, ChannelStart{1, ChannelKind::shell, ""}));
  CHECK(server.starts == 1);
}

TEST_CASE("a message that is not in the table is refused in every state") {
  Server server;
  std::set<MessageType> seen;
  CHECK_FALSE(deliver(server, State::waiting, seen, ChannelClose{1}));
  CHECK_FALSE(deliver(server, State::open, seen, ChannelClose{1}));
}
