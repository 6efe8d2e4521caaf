// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/workers.h"

#include "shared/base/log.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace sallyport {

Workers::Workers(EventLoop& loop, size_t threads, size_t max_waiting)
    : loop_(loop), max_waiting_(max_waiting), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) {
    fatal("eventfd failed");
  }
  loop_.watch(wake_.get(), EPOLLIN, [this](uint32_t) { run_completions(); });
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  loop_.unwatch(wake_.get());
}

bool Workers::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || jobs_.size() >= max_waiting_) {
      return false;
    }
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

bool Workers::stop(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  jobs_.clear();
  changed_.notify_all();
  return changed_.wait_for(lock, patience, [this] { return running_ == 0; });
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) {
      return;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_;
    lock.unlock();
    Completion completion = job();
    job = nullptr;  // what it holds may go before the loop hears of the end
    lock.lock();
    completions_.push_back(std::move(completion));
    --running_;
    changed_.notify_all();
    const uint64_t one = 1;
    if (::write(wake_.get(), &one, sizeof one) < 0) {
      log_error("eventfd_write_failed");  // only when 2^64 completions wait
    }
  }
}

void Workers::run_completions() {
  uint64_t count = 0;
  if (::read(wake_.get(), &count, sizeof count) < 0) {
    return;
  }
  std::deque<Completion> completions;
  {
    const std::lock_guard lock(mutex_);
    completions.swap(completions_);
  }
  for (const Completion& completion : completions) {
    completion();
  }
}

}  // namespace sallyport
