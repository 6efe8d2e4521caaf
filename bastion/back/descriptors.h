// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport::back {

// What gate hands over; the process has nothing else, and never opens anything.
inline constexpr int kTargetFd = 3;
inline constexpr int kMonitorFd = 4;
inline constexpr int kAgentFd = 5;    // ssh-agent protocol, one signature, from keyd
inline constexpr int kControlFd = 6;  // gate: one BackStart

}  // namespace sallyport::back
