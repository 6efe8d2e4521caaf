// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/authd_link.h"

#include "shared/base/log.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace sallyport {

namespace {

// connect_peer() waits while the listener's queue is full; a daemon that serves others must not.
Result<UniqueFd> connect_at_once(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{Errc::invalid, path + ": a socket's path has at most 107 bytes"};
  }
  path.copy(address.sun_path, path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return errno_error("connecting to " + path);
  }
  return fd;
}

}  // namespace

AuthdLink::~AuthdLink() {
  for (auto& [key, question] : std::exchange(questions_, {})) {
    loop_.cancel(question.timer);
  }
  disconnect("");
}

void AuthdLink::confirm_signature(const Id& grant, const Id& session, Answered answered) {
  const Key key{grant, session};
  if (questions_.contains(key)) {
    return answered(Error{Errc::denied, "this session's signature is being confirmed already"});
  }
  if (const auto connected = connect(); !connected) {
    return answered(connected.error());
  }
  const auto timer = loop_.call_after(kAnswerTime, [this, key] {
    finish(key, Error{Errc::io,
                      "authd did not answer within " + std::to_string(kAnswerTime.count()) + " s"});
  });
  questions_.emplace(key, Question{std::move(answered), timer});
  const auto sent = peer_.send(ConfirmGrant{Purpose::sign, grant, session});
  if (!sent) {
    return disconnect(sent.error().message);
  }
  watch_writes();
}

Status AuthdLink::connect() {
  if (peer_) {
    return ok();
  }
  auto socket = connect_at_once(socket_path_);
  if (!socket) {
    return Error{Errc::io, "authd is not there: " + socket.error().message};
  }
  peer_ = Peer(std::move(*socket));
  loop_.watch(peer_.fd(), EPOLLIN, [this](uint32_t events) { on_ready(events); });
  return ok();
}

void AuthdLink::disconnect(const std::string& why) {
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

void AuthdLink::on_ready(uint32_t events) {
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

Status AuthdLink::read_answers() {
  for (;;) {
    auto received = peer_.receive();
    if (!received) {
      return received.error();
    }
    if (!*received) {
      return ok();
    }
    if (auto taken = take_answer(**received); !taken) {
      return taken;
    }
  }
}

Status AuthdLink::take_answer(Received& received) {
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

void AuthdLink::watch_writes() {
  if (peer_) {
    loop_.change(peer_.fd(), peer_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
}

// An answer that came after its time finds no question and is dropped.
void AuthdLink::finish(const Key& key, Result<GrantFacts> result) {
  const auto found = questions_.find(key);
  if (found == questions_.end()) {
    return;
  }
  const Answered answered = std::move(found->second.answered);
  loop_.cancel(found->second.timer);
  questions_.erase(found);
  answered(std::move(result));
}

}  // namespace sallyport
