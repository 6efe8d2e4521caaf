// SPDX-License-Identifier: Apache-2.0
//
// The programs of a session (front, monitor, back) are executed rarely and fork for each session:
// linking and preparing their libraries is most of what starting them costs. A nursery has been
// executed by gate, so its memory has a layout of its own, has its libraries ready, holds no
// secret, and hears nobody but gate.
#pragma once

#include "shared/ipc/peer.h"

#include <string>
#include <vector>

namespace sallyport {

// What gate gives to a nursery; its name in ps is that of its children and this suffix.
inline constexpr int kNurseryFd = 3;
inline constexpr const char* kNurserySuffix = " nursery";

// Forks for each StartChild from gate and tells it the child's process id. The children are gate's,
// as if gate had forked them. Returns in a child, which has the descriptors that came with the
// message at 3, 4, ... and nothing else of the nursery; gives the message's arguments. The nursery
// itself ends here when gate closes its end. One thread only, when called.
std::vector<std::string> wait_for_start(char** argv);

// What gate says first to a child; waits for it.
template <class Start>
Result<Start> receive_start(Peer& control) {
  constexpr int kTimeoutMs = 5000;
  const auto received = receive_waiting(control, kTimeoutMs);
  return received ? decode_as<Start>(*received) : Result<Start>(received.error());
}

}  // namespace sallyport
