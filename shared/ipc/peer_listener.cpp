// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/peer_listener.h"

#include "shared/base/log.h"
#include "shared/ipc/peer.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sallyport {

namespace {

constexpr auto kPause = std::chrono::seconds(1);

}  // namespace

PeerListener::PeerListener(EventLoop& loop, UniqueFd listener, Connected connected)
    : loop_(loop), listener_(std::move(listener)), connected_(std::move(connected)) {
  if (listener_) {
    loop_.watch(listener_.get(), EPOLLIN, [this](uint32_t) { accept_all(); });
  }
}

PeerListener::~PeerListener() {
  loop_.cancel(pause_);
  if (listener_) {
    loop_.unwatch(listener_.get());
  }
}

void PeerListener::accept_all() {
  for (;;) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && (errno == EINTR || errno == ECONNABORTED)) {
      continue;
    }
    if (!socket && errno == EAGAIN) {
      return;
    }
    if (!socket) {
      log_error("no connection can be taken", {{"why", std::strerror(errno)}});
      loop_.change(listener_.get(), 0);
      pause_ = loop_.call_after(kPause, [this] { loop_.change(listener_.get(), EPOLLIN); });
      return;
    }
    if (const auto user = peer_uid(socket.get())) {
      connected_(std::move(socket), *user);
    }
  }
}

}  // namespace sallyport
