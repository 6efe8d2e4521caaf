// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/config.h"

#include <sys/types.h>

#include <map>
#include <string>

namespace sallyport::gate {

// authd, keyd and stored, when gate runs alone (under systemd each is a unit of its own). Starts
// them, each as its user where we are root, with its state and runtime folders made, and waits
// until they answer.
class Daemons {
public:
  Status start(const Config& config, const std::string& libexec);
  bool any() const { return !running_.empty(); }  // that we have started
  // The name of the daemon that this process was, "" for any other process.
  std::string name_of(pid_t pid) const;
  void stop();  // SIGTERM, a moment, SIGKILL where we may

private:
  struct Running {
    std::string name;
    UniqueFd lifeline;  // closing it ends the daemon
  };
  std::map<pid_t, Running> running_;
};

}  // namespace sallyport::gate
