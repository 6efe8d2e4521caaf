// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/config.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace sallyport::gate {

// authd, keyd, stored, and witness where it is configured, when gate runs alone (under systemd each
// is a unit of its own). Starts them, each as its user where we are root, with its state and
// runtime folders made, and waits until those that are asked answer.
class Daemons {
public:
  Status start(const Config& config, const std::string& libexec);
  bool any() const { return !running_.empty(); }  // that we have started
  // The name of the daemon that this process was, "" for any other process.
  std::string name_of(pid_t pid) const;
  void forget(pid_t pid) { running_.erase(pid); }  // it has ended
  void stop();                                     // SIGTERM, a moment, SIGKILL where we may

private:
  struct Running {
    std::string name;
    UniqueFd lifeline;  // closing it ends the daemon
  };
  Result<pid_t> start_one(const Config& config, const std::string& libexec, const std::string& name,
                          const char* user);
  void wait_for_end_of(const std::function<bool(const std::string& name)>& these,
                       std::chrono::steady_clock::time_point deadline);
  std::map<pid_t, Running> running_;
};

}  // namespace sallyport::gate
