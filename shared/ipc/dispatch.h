// SPDX-License-Identifier: Apache-2.0
//
// The answering side of a conversation is a table: which message, in which states, once or many
// times, and who answers it. What is not in the table is refused before a handler sees it.
#pragma once

#include "shared/ipc/peer.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>

namespace sallyport {

enum class Times { once, many };

template <class Server>
struct AllowedMessage {
  MessageType type;
  uint32_t states;  // bits 1 << state
  Times times;
  Status (*call)(Server&, Received&);
};

namespace detail {
template <class T>
struct HandlerOf;
template <class Server_, class Message_>
struct HandlerOf<Status (Server_::*)(const Message_&)> {
  using Server = Server_;
  using Message = Message_;
  static Status call(Server& server, Status (Server::*handler)(const Message&),
                     const Message& message, Received&) {
    return (server.*handler)(message);
  }
};
template <class Server_, class Message_>
struct HandlerOf<Status (Server_::*)(const Message_&, std::vector<UniqueFd>&)> {
  using Server = Server_;
  using Message = Message_;
  static Status call(Server& server,
                     Status (Server::*handler)(const Message&, std::vector<UniqueFd>&),
                     const Message& message, Received& received) {
    return (server.*handler)(message, received.fds);
  }
};
}  // namespace detail

template <class... States>
constexpr uint32_t in(States... states) {
  return ((1U << static_cast<uint32_t>(states)) | ... | 0U);
}

// allow<&Monitor::answer_key_proven>(in(State::login), Times::many): the message type follows from
// the handler's parameter. A handler's error ends that conversation.
template <auto Handler>
constexpr auto allow(uint32_t states, Times times) {
  using H = detail::HandlerOf<decltype(Handler)>;
  return AllowedMessage<typename H::Server>{
      H::Message::kType, states, times, [](typename H::Server& server, Received& received) {
        auto message = decode<typename H::Message>(received.body);
        return message ? H::call(server, Handler, *message, received) : Status(message.error());
      }};
}

// `seen` remembers what came already, for Times::once; it lives as long as the conversation.
template <class Server, class State>
Status dispatch(std::span<const AllowedMessage<Server>> table, Server& server, State state,
                std::set<MessageType>& seen, Received& received) {
  const auto rule = std::find_if(table.begin(), table.end(),
                                 [&](const auto& r) { return r.type == received.type; });
  const auto type = std::to_string(static_cast<unsigned>(received.type));
  if (rule == table.end() || (rule->states & in(state)) == 0) {
    return Error{Errc::protocol, "message " + type + " is not allowed in state " +
                                     std::to_string(static_cast<unsigned>(state))};
  }
  if (rule->times == Times::once && !seen.insert(received.type).second) {
    return Error{Errc::protocol, "message " + type + " came twice"};
  }
  return rule->call(server, received);
}

}  // namespace sallyport
