// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/keyd/agent.h"
#include "shared/base/id.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/event_loop.h"

#include <functional>

namespace sallyport {

// One OneSignatureAgent on one end of a SOCK_STREAM socketpair. It ends when the other end closes,
// at the first thing that is not allowed, kLifetime after it was made, or kAfterSignature after it
// has signed: the last only leaves time to answer (and log) a second request, as a back that does
// not close its end would otherwise hold one of our descriptors for a minute.
class AgentSocket {
public:
  static constexpr std::chrono::seconds kLifetime{60};
  static constexpr std::chrono::seconds kAfterSignature{5};

  // `ended` is called once, from the loop; it may destroy this object.
  AgentSocket(EventLoop& loop, UniqueFd socket, const Id& session, OneSignatureAgent agent,
              std::function<void()> ended, std::chrono::milliseconds lifetime = kLifetime);
  ~AgentSocket();
  AgentSocket(const AgentSocket&) = delete;
  AgentSocket& operator=(const AgentSocket&) = delete;

private:
  void on_ready();
  bool send(std::span<const uint8_t> bytes);
  void end_after(std::chrono::milliseconds delay);
  void end(const char* why);

  EventLoop& loop_;
  UniqueFd socket_;
  Id session_;
  OneSignatureAgent agent_;
  std::function<void()> ended_;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace sallyport
