// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/gate/daemons.h"
#include "bastion/gate/session.h"

#include <map>
#include <memory>
#include <vector>

namespace sallyport::gate {

// Accepts, counts and starts; waits for no client and no resolver (R16), and for a nursery only,
// which answers at once.
class Gate {
public:
  Gate(EventLoop& loop, const Config& config, std::vector<UniqueFd> listeners,
       std::vector<UniqueFd> host_keys, UniqueFd jump_key, const std::string& libexec,
       Daemons daemons);
  // Until SIGTERM or SIGINT, or until a daemon of ours dies. Sessions end with their daemons: where
  // those are units of their own, the established sessions go on without gate.
  int run();

private:
  void accept_clients(int listener);
  void start_session(UniqueFd client, std::string address);
  Result<UniqueFd> start_jump(const Id& outer, const std::string& address,
                              const std::string& target);
  void keep(std::shared_ptr<Session> session, UniqueFd client, const std::string& address);
  bool has_room(std::string& why) const;
  void on_signal(int signal);
  void reap();
  void stop(int exit_status);

  EventLoop& loop_;
  const Config& config_;
  std::vector<UniqueFd> listeners_;
  Daemons daemons_;
  Nurseries nurseries_;
  GrantConfirmer confirmer_;
  GrantConfirmer jump_confirmer_;
  SignerLink signer_;
  Surroundings around_;
  std::map<Id, std::shared_ptr<Session>> sessions_;
  int exit_status_ = 0;
  bool stopping_ = false;
};

}  // namespace sallyport::gate
