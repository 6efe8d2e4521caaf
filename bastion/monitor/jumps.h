// SPDX-License-Identifier: Apache-2.0
//
// `ssh -J`: a connection to a target of the inventory becomes a session of its own, inside this
// one. authd says which target is meant, gate starts the session, and front gets a socket to it. No
// byte of it passes here: the inner monitor records it.
#pragma once

#include "shared/ipc/peer.h"

#include <set>

namespace sallyport::monitor {

class Jumps {
public:
  Jumps(Peer& front, Peer& authd, Peer& gate, const Id& grant)
      : front_(front), authd_(authd), gate_(gate), grant_(grant) {}

  Status open(const ForwardOpen& message);
  Status target_known(const JumpTarget& message);
  Status started(const JumpStarted& message, std::vector<UniqueFd>& fds);
  void gate_is_gone();  // its peer is closed: what waits for it is refused, and what comes

private:
  Peer& front_;
  Peer& authd_;
  Peer& gate_;
  Id grant_;
  uint32_t next_number_ = 0;
  std::set<uint32_t> asked_;     // authd
  std::set<uint32_t> starting_;  // gate
};

}  // namespace sallyport::monitor
