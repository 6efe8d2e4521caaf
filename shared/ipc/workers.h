// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/unique_fd.h"
#include "shared/ipc/event_loop.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace sallyport {

// A few threads for calls that block (HTTP in authd, SQLite in stored), so that the loop never
// does. Made and destroyed by the loop's thread, after EventLoop::on_signals().
class Workers {
public:
  using Completion = std::function<void()>;  // runs in the loop's thread
  using Job = std::function<Completion()>;   // runs in a worker's; must not throw

  Workers(EventLoop& loop, size_t threads, size_t max_waiting);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False when too many jobs are waiting.
  [[nodiscard]] bool submit(Job job);

  // Starts nothing more, and waits for what runs, but no longer than this; false when something
  // still runs. After false the process can only _exit().
  bool stop(std::chrono::milliseconds patience);

private:
  void work();
  void run_completions();

  EventLoop& loop_;
  const size_t max_waiting_;
  UniqueFd wake_;
  std::mutex mutex_;  // guards everything below but threads_
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::deque<Completion> completions_;
  size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sallyport
