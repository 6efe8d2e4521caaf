// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/back/channels.h"
#include "bastion/back/host_key_check.h"
#include "shared/base/result.h"
#include "shared/ipc/peer.h"
#include "shared/ssh/handles.h"
#include "shared/ssh/ssh_keepalive.h"
#include "shared/ssh/vanished_peer.h"

#include <chrono>
#include <memory>
#include <string>

namespace sallyport::back {

// The SSH connection to one target: key exchange, host key against the pins, one signature,
// channels. One libssh session per process.
class Client {
public:
  Client(UniqueFd target, Peer monitor, UniqueFd agent, BackStart start);
  int run();

private:
  using Clock = std::chrono::steady_clock;
  Status log_in();
  Status connect();
  Status authenticate();
  void end_for_wrong_key(const Error& why);
  void hand_over();
  void serve();
  void drain_ssh();
  bool receive_from_monitor();
  void wait(int timeout_ms);
  bool wait_for_target(Clock::time_point deadline);
  bool target_is_gone() const;

  UniqueFd target_;
  VanishedPeer vanished_;
  SshKeepalive keepalive_;
  Peer monitor_;
  bool monitor_ready_ = true;  // to be read, as poll(2) said last
  BackStart start_;
  SshSession session_;
  HostKeyCheck host_key_;
  SshEvent event_;
  std::unique_ptr<Channels> channels_;
};

}  // namespace sallyport::back
