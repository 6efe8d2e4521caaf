// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/grant_confirmer.h"

#include "shared/base/log.h"

#include <sys/epoll.h>

namespace sallyport {

void GrantConfirmer::confirm(const Id& grant, const Id& session, Answered answered) {
  const Key key{grant, session};
  if (const auto connected = connect(); !connected) {
    return answered(connected.error());
  }
  const auto timer = loop_.call_after(kAnswerTime, [this, key] {
    finish(key, Error{Errc::io,
                      "authd did not answer within " + std::to_string(kAnswerTime.count()) + " s"});
  });
  questions_.emplace(key, Question{std::move(answered), timer});
  const auto sent = peer_.send(ConfirmGrant{purpose_, grant, session});
  if (!sent) {
    return disconnect(sent.error().message);
  }
  watch_writes();
}

Status GrantConfirmer::connect() {
  if (peer_) {
    return ok();
  }
  auto socket = connect_peer(socket_path_);
  if (!socket) {
    return Error{Errc::io, "authd is not there: " + socket.error().message};
  }
  peer_ = Peer(std::move(*socket));
  loop_.watch(peer_.fd(), EPOLLIN, [this](uint32_t events) { on_ready(events); });
  return ok();
}

void GrantConfirmer::disconnect(const std::string& why) {
  if (peer_) {
    loop_.unwatch(peer_.fd());
    peer_.close();
    peer_ = Peer();
  }
  auto lost = std::exchange(questions_, {});
  for (auto& [key, question] : lost) {
    loop_.cancel(question.timer);
    question.answered(Error{Errc::io, "the connection to authd was lost: " + why});
  }
}

void GrantConfirmer::on_ready(uint32_t events) {
  Status status = (events & EPOLLOUT) != 0 ? peer_.flush() : ok();
  if (status) {
    status = read_answers();
  }
  if (!status) {
    log_warning("authd_lost", {{"why", status.error().message}});
    return disconnect(status.error().message);
  }
  watch_writes();
}

Status GrantConfirmer::read_answers() {
  return receive_all(peer_, [this](Received& received) { return take_answer(received); });
}

Status GrantConfirmer::take_answer(Received& received) {
  if (received.type != MessageType::grant_facts) {
    return Error{Errc::protocol, "authd sent something else than facts"};
  }
  auto facts = decode<GrantFacts>(received.body);
  if (!facts) {
    return facts.error();
  }
  const Key key{facts->grant, facts->session};
  finish(key, std::move(*facts));
  return ok();
}

void GrantConfirmer::watch_writes() {
  if (peer_) {
    loop_.change(peer_.fd(), peer_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
}

// An answer that came after its time finds no question and is dropped.
void GrantConfirmer::finish(const Key& key, Result<GrantFacts> result) {
  const auto found = questions_.find(key);
  if (found == questions_.end()) {
    return;
  }
  const Answered answered = std::move(found->second.answered);
  loop_.cancel(found->second.timer);
  questions_.erase(found);
  if (result && !result->valid) {
    return answered(Error{Errc::denied, result->text});
  }
  answered(std::move(result));
}

}  // namespace sallyport
