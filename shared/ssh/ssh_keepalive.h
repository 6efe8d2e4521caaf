// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libssh/libssh.h>

#include <chrono>

namespace sallyport {

// Breaks the silence of an SSH connection, for a proxy or firewall in between that forgets silent
// ones: TCP's own keepalive does not get through a proxy that ends TCP. Sent is SSH_MSG_IGNORE (RFC
// 4253 section 11.2), which nobody answers: a client that is stopped (^Z) does not die of it.
class SshKeepalive {
public:
  explicit SshKeepalive(std::chrono::seconds silence) : silence_(silence) {}  // 0: none

  // How long poll(2) may wait, where the caller would wait this long (-1: for ever).
  int bounded_ms(int timeout_ms) const;
  // After each wait; `heard`: something has come from the peer. Whether something was sent.
  bool send_if_due(ssh_session session, bool heard);

private:
  using Clock = std::chrono::steady_clock;
  std::chrono::seconds silence_;
  Clock::time_point silent_since_ = Clock::now();
};

}  // namespace sallyport
