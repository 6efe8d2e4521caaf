// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/peer.h"

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace sallyport {

// keyd's connection to authd, made when the first question comes and again when it was lost. Never
// blocks: a question that authd does not answer within kAnswerTime, or cannot be asked, fails.
class AuthdLink {
public:
  using Answered = std::function<void(Result<GrantFacts>)>;
  static constexpr std::chrono::seconds kAnswerTime{5};

  AuthdLink(EventLoop& loop, std::string socket_path)
      : loop_(loop), socket_path_(std::move(socket_path)) {}
  ~AuthdLink();
  AuthdLink(const AuthdLink&) = delete;
  AuthdLink& operator=(const AuthdLink&) = delete;

  // May call back before it returns.
  void confirm_signature(const Id& grant, const Id& session, Answered answered);

private:
  struct Question {
    Answered answered;
    EventLoop::TimerId timer;
  };
  using Key = std::pair<Id, Id>;  // grant, session

  Status connect();
  void disconnect(const std::string& why);
  void on_ready(uint32_t events);
  Status read_answers();
  Status take_answer(Received& received);
  void watch_writes();
  void finish(const Key& key, Result<GrantFacts> result);

  EventLoop& loop_;
  std::string socket_path_;
  Peer peer_;
  std::map<Key, Question> questions_;
};

}  // namespace sallyport
