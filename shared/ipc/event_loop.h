// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/unique_fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace sallyport {

// One thread, one epoll. Callbacks may add and remove anything, themselves included. A watched
// descriptor must be unwatched before it is closed.
class EventLoop {
public:
  using Clock = std::chrono::steady_clock;
  using TimerId = uint64_t;

  EventLoop();  // fatal() when the kernel has no descriptor for us
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // events: EPOLLIN and EPOLLOUT; EPOLLHUP and EPOLLERR always come.
  void watch(int fd, uint32_t events, std::function<void(uint32_t events)> callback);
  void change(int fd, uint32_t events);
  void unwatch(int fd);

  TimerId call_after(std::chrono::milliseconds delay, std::function<void()> callback);
  void cancel(TimerId timer);

  // Blocks the signals and delivers them here. Call once, before any thread is made.
  void on_signals(const std::vector<int>& signals, std::function<void(int signal)> callback);

  void run();  // until stop()
  void stop() { running_ = false; }

private:
  struct Watch;
  struct Timer {
    TimerId id;
    std::function<void()> callback;
  };
  int wait_ms() const;
  void fire_timers();

  UniqueFd epoll_;
  UniqueFd signals_;
  std::map<int, std::shared_ptr<Watch>> watches_;
  std::multimap<Clock::time_point, Timer> timers_;
  TimerId next_timer_ = 1;
  bool running_ = false;
};

}  // namespace sallyport
