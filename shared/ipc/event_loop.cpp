// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/event_loop.h"

#include "shared/base/log.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace sallyport {

struct EventLoop::Watch {
  int fd;
  std::function<void(uint32_t)> callback;
  bool active = true;
};

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) {
    fatal("epoll_create1 failed");
  }
}

EventLoop::~EventLoop() = default;

void EventLoop::watch(int fd, uint32_t events, std::function<void(uint32_t)> callback) {
  unwatch(fd);
  auto watch = std::make_shared<Watch>(Watch{fd, std::move(callback)});
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    fatal("epoll_ctl failed");
  }
  watches_[fd] = std::move(watch);
}

void EventLoop::change(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::unwatch(int fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) {
    return;
  }
  found->second->active = false;
  watches_.erase(found);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::call_after(std::chrono::milliseconds delay,
                                         std::function<void()> callback) {
  const TimerId id = next_timer_++;
  timers_.emplace(Clock::now() + delay, Timer{id, std::move(callback)});
  return id;
}

void EventLoop::cancel(TimerId timer) {
  const auto found = std::find_if(timers_.begin(), timers_.end(),
                                  [timer](const auto& t) { return t.second.id == timer; });
  if (found != timers_.end()) {
    timers_.erase(found);
  }
}

void EventLoop::on_signals(const std::vector<int>& signals, std::function<void(int)> callback) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    sigaddset(&set, signal);
  }
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) {
    fatal("signalfd failed");
  }
  watch(signals_.get(), EPOLLIN, [this, callback = std::move(callback)](uint32_t) {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      callback(static_cast<int>(info.ssi_signo));
    }
  });
}

int EventLoop::wait_ms() const {
  if (timers_.empty()) {
    return -1;
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
}

void EventLoop::fire_timers() {
  const auto now = Clock::now();
  while (running_ && !timers_.empty() && timers_.begin()->first <= now) {
    const auto callback = std::move(timers_.begin()->second.callback);
    timers_.erase(timers_.begin());
    callback();
  }
}

void EventLoop::run() {
  running_ = true;
  while (running_) {
    epoll_event events[64];
    const int count = ::epoll_wait(epoll_.get(), events, 64, wait_ms());
    if (count < 0 && errno != EINTR) {
      fatal("epoll_wait failed");
    }
    for (int i = 0; i < count && running_; ++i) {
      // An earlier callback of this round may have removed this one: hold on to it.
      const auto found = watches_.find(events[i].data.fd);
      if (found != watches_.end()) {
        const std::shared_ptr<Watch> watch = found->second;
        if (watch->active) {
          watch->callback(events[i].events);
        }
      }
    }
    fire_timers();
  }
}

}  // namespace sallyport
