// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/front/channels.h"
#include "bastion/front/userauth.h"
#include "shared/ipc/peer.h"
#include "shared/ssh/handles.h"
#include "shared/ssh/ssh_keepalive.h"
#include "shared/ssh/vanished_peer.h"

#include <poll.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::front {

// The SSH connection of one user: key exchange, login, channels, end. One libssh session per
// process and per event (two in one event are a use-after-free in 0.10.6 and 0.12).
class Server {
public:
  struct Settings {
    std::string ciphers;  // comma-separated, the best first; "" for the default
    std::chrono::seconds keepalive{0};
    bool is_jump = false;  // inside another session: the client need not prove anything
  };
  Server(UniqueFd client, Peer monitor, std::vector<SshKey> host_keys, const Settings& settings);
  int run();  // the exit status of the process

private:
  using Clock = std::chrono::steady_clock;
  bool exchange_keys();
  bool log_in();
  void serve();
  void drain_ssh();
  bool receive_from_monitor();
  void wait(int timeout_ms);
  bool client_is_gone() const;
  void disconnect(const std::string& text);
  void end_channels();

  UniqueFd client_;
  VanishedPeer vanished_;
  SshKeepalive keepalive_;
  Peer monitor_;
  SshBind bind_;
  SshSession session_;
  SshEvent event_;
  bool is_jump_;
  std::unique_ptr<UserAuth> auth_;
  std::unique_ptr<Channels> channels_;
  std::string end_text_;       // why we end, for the user
  bool session_over_ = false;  // nothing more is read from the monitor
  bool monitor_ready_ = true;  // to be read, as poll(2) said last
  std::vector<pollfd> polled_;
};

}  // namespace sallyport::front
