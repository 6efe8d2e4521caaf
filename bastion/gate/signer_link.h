// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/peer.h"

#include <functional>
#include <map>
#include <string>

namespace sallyport::gate {

// Asks keyd for the descriptor that signs once for a session. Connects at the first question and
// again when the connection was lost; never blocks.
class SignerLink {
public:
  using Answered = std::function<void(Result<UniqueFd>)>;

  SignerLink(EventLoop& loop, std::string keyd_socket)
      : loop_(loop), socket_path_(std::move(keyd_socket)) {}
  ~SignerLink() { disconnect("gate is stopping"); }
  SignerLink(const SignerLink&) = delete;
  SignerLink& operator=(const SignerLink&) = delete;

  void ask_signer(const Id& grant, const Id& session, Answered answered);

private:
  struct Question {
    Answered answered;
    EventLoop::TimerId timer;
  };
  Status connect();
  void disconnect(const std::string& why);
  void on_ready(uint32_t events);
  Status read_answers();
  void finish(const Id& session, Result<UniqueFd> signer);

  EventLoop& loop_;
  std::string socket_path_;
  Peer peer_;
  std::map<Id, Question> questions_;
};

}  // namespace sallyport::gate
