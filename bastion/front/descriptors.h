// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport::front {

// What gate hands over; the process has nothing else, and never opens anything.
inline constexpr int kClientFd = 3;
inline constexpr int kMonitorFd = 4;
inline constexpr int kFirstHostKeyFd = 5;  // as many as argv[1] says; or the jump key

}  // namespace sallyport::front
