// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/peer.h"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace sallyport {

// How gate (dial), keyd (sign) and stored (record) ask authd whether a grant is true. The
// connection is made when the first question comes and again when it was lost. Never blocks: a
// question that authd does not answer within kAnswerTime, or that cannot be asked, fails.
class GrantConfirmer {
public:
  using Answered = std::function<void(Result<GrantFacts>)>;
  static constexpr std::chrono::seconds kAnswerTime{5};

  GrantConfirmer(EventLoop& loop, std::string authd_socket, Purpose purpose)
      : loop_(loop), socket_path_(std::move(authd_socket)), purpose_(purpose) {}
  ~GrantConfirmer() { disconnect("this process is stopping"); }
  GrantConfirmer(const GrantConfirmer&) = delete;
  GrantConfirmer& operator=(const GrantConfirmer&) = delete;

  // May call back before it returns. A grant that is not valid is an error with authd's reason.
  void confirm(const Id& grant, const Id& session, Answered answered);

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
  Purpose purpose_;
  Peer peer_;
  // Several questions about one grant are answered in their order.
  std::multimap<Key, Question> questions_;
};

}  // namespace sallyport
