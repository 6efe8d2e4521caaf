// SPDX-License-Identifier: Apache-2.0
#include "bastion/gate/signer_link.h"

#include "shared/base/log.h"

#include <sys/epoll.h>

namespace sallyport::gate {

namespace {

constexpr auto kAnswerTime = std::chrono::seconds(10);

}  // namespace

void SignerLink::ask_signer(const Id& grant, const Id& session, Answered answered) {
  if (questions_.contains(session)) {
    return answered(Error{Errc::denied, "this session has asked for its signature already"});
  }
  if (const Status connected = connect(); !connected) {
    return answered(connected.error());
  }
  const auto timer = loop_.call_after(kAnswerTime, [this, session] {
    finish(session, Error{Errc::io, "keyd does not answer"});
  });
  questions_.emplace(session, Question{std::move(answered), timer});
  if (const Status sent = peer_.send(AskSigner{grant, session}); !sent) {
    return disconnect(sent.error().message);
  }
  loop_.change(peer_.fd(), peer_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

Status SignerLink::connect() {
  if (peer_) {
    return ok();
  }
  auto socket = connect_peer(socket_path_);
  if (!socket) {
    return Error{Errc::io, "keyd is not there: " + socket.error().message};
  }
  peer_ = Peer(std::move(*socket));
  loop_.watch(peer_.fd(), EPOLLIN, [this](uint32_t events) { on_ready(events); });
  return ok();
}

void SignerLink::disconnect(const std::string& why) {
  if (peer_) {
    loop_.unwatch(peer_.fd());
    peer_ = Peer();
  }
  auto lost = std::exchange(questions_, {});
  for (auto& [session, question] : lost) {
    loop_.cancel(question.timer);
    question.answered(Error{Errc::io, "the connection to keyd was lost: " + why});
  }
}

void SignerLink::on_ready(uint32_t events) {
  Status status = (events & EPOLLOUT) != 0 ? peer_.flush() : ok();
  if (status) {
    status = read_answers();
  }
  if (!status) {
    log_warning("keyd_lost", {{"why", status.error().message}});
    return disconnect(status.error().message);
  }
  loop_.change(peer_.fd(), peer_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

Status SignerLink::read_answers() {
  return receive_all(peer_, [this](Received& received) -> Status {
    const auto signer = received.type == MessageType::signer
                            ? decode<Signer>(received.body)
                            : Result<Signer>(Error{Errc::protocol, "not a signer"});
    if (!signer) {
      return signer.error();
    }
    if (!signer->ok) {
      finish(signer->session, Error{Errc::denied, signer->text});
    } else if (received.fds.size() == 1) {
      finish(signer->session, std::move(received.fds[0]));
    } else {
      return Error{Errc::protocol, "a signer without its descriptor"};
    }
    return ok();
  });
}

void SignerLink::finish(const Id& session, Result<UniqueFd> signer) {
  const auto found = questions_.find(session);
  if (found == questions_.end()) {
    return;
  }
  const Answered answered = std::move(found->second.answered);
  loop_.cancel(found->second.timer);
  questions_.erase(found);
  answered(std::move(signer));
}

}  // namespace sallyport::gate
