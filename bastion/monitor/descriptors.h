// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sallyport::monitor {

// What gate hands over; the process has nothing else, and never opens anything.
inline constexpr int kControlFd = 3;  // gate
inline constexpr int kFrontFd = 4;
inline constexpr int kBackFd = 5;
inline constexpr int kAuthdFd = 6;
inline constexpr int kStoredFd = 7;

}  // namespace sallyport::monitor
