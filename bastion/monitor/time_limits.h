// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/ipc/event_loop.h"
#include "shared/ipc/messages.h"

#include <chrono>
#include <functional>
#include <string>

namespace sallyport::monitor {

// How long a session may last, and do nothing (limits.session_s, idle_input_s, idle_output_s). One
// timer, set for the nearest limit; what flows only notes the time.
class TimeLimits {
public:
  using Clock = std::chrono::steady_clock;
  // over: called once, with one line for the user.
  TimeLimits(EventLoop& loop, const Grant& grant, std::function<void(const std::string&)> over);
  ~TimeLimits() { loop_.cancel(timer_); }
  TimeLimits(const TimeLimits&) = delete;
  TimeLimits& operator=(const TimeLimits&) = delete;

  void note_input() { last_input_ = Clock::now(); }
  void note_output() { last_output_ = Clock::now(); }

private:
  struct Limit {
    Clock::time_point ends;
    std::string line;
  };
  Limit nearest() const;
  void watch();

  EventLoop& loop_;
  std::chrono::seconds idle_input_;
  std::chrono::seconds idle_output_;
  std::chrono::seconds session_;
  std::function<void(const std::string&)> over_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_input_ = start_;
  Clock::time_point last_output_ = start_;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace sallyport::monitor
