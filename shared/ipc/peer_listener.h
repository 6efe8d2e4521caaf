// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/unique_fd.h"
#include "shared/ipc/event_loop.h"

#include <sys/types.h>

#include <functional>

namespace sallyport {

// A daemon's door: accepts on a socket of listen_peer(), and hands out each connection with the user
// that it is of (SO_PEERCRED). Where no descriptor is left it pauses: the socket stays readable, and
// the loop would spin.
class PeerListener {
public:
  using Connected = std::function<void(UniqueFd socket, uid_t user)>;

  // Without a socket it does nothing.
  PeerListener(EventLoop& loop, UniqueFd listener, Connected connected);
  ~PeerListener();
  PeerListener(const PeerListener&) = delete;
  PeerListener& operator=(const PeerListener&) = delete;

private:
  void accept_all();

  EventLoop& loop_;
  UniqueFd listener_;
  Connected connected_;
  EventLoop::TimerId pause_ = 0;
};

}  // namespace sallyport
