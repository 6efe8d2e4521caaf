// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

namespace sallyport {

using SteadyTime = std::chrono::steady_clock::time_point;

// Tokens are judged by the wall clock, waiting and caching by the steady one. Tests bring their
// own.
struct OidcClock {
  std::function<std::chrono::sys_seconds()> wall = [] {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  };
  std::function<SteadyTime()> steady = [] { return std::chrono::steady_clock::now(); };
};

}  // namespace sallyport
