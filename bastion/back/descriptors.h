// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport::back {

// What gate hands over; the process has nothing else, and opens the target's connection alone.
inline constexpr int kMonitorFd = 3;
inline constexpr int kAgentFd = 4;    // ssh-agent protocol, one signature, from keyd
inline constexpr int kControlFd = 5;  // gate: one BackStart

}  // namespace sallyport::back
