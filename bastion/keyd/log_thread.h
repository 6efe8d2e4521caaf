// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/keyd/log_signer.h"
#include "shared/ipc/workers.h"

#include <functional>
#include <utility>

namespace sallyport {

// The log's signer in a thread of its own: it waits for the disk, and keyd's loop, where the logins
// are signed, must not. What is submitted is done one after the other. Made and destroyed by the
// loop's thread, after EventLoop::on_signals(); that waits for the job that runs.
class LogThread {
public:
  using Completion = Workers::Completion;             // runs in the loop's thread
  using Job = std::function<Completion(LogSigner&)>;  // runs in this one; must not throw
  static constexpr size_t kMaxWaiting = 256;

  LogThread(EventLoop& loop, LogSigner signer)
      : signer_(std::move(signer)), worker_(loop, 1, kMaxWaiting) {}

  // False when too many are waiting.
  [[nodiscard]] bool submit(Job job) {
    return worker_.submit([this, job = std::move(job)] { return job(signer_); });
  }

private:
  LogSigner signer_;  // the thread's alone
  Workers worker_;
};

}  // namespace sallyport
