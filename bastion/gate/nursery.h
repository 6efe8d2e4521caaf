// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/ipc/peer.h"

#include <sys/types.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace sallyport::gate {

// gate's end of a nursery (shared/ipc/nursery.h). It is replaced after some children and some time,
// and when a child crashes: who guesses at the layout of its memory has as many tries as there are
// children of that layout, and no more.
class Nursery {
public:
  Nursery(std::string program, std::string shown_as)
      : program_(std::move(program)), shown_as_(std::move(shown_as)) {}
  ~Nursery() { stop(); }
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  Status start();
  // The child is ours, as if we had forked it. Waits for the nursery, which does nothing but
  // answer; one that does not is killed, and another one asked.
  Result<pid_t> fork_child(const std::vector<std::string>& arguments, const std::vector<int>& fds);
  bool is(pid_t pid) const { return pid != 0 && pid == pid_; }
  void replace();
  void stop();  // the next child is of another one

private:
  Result<pid_t> ask(const StartChild& start, const std::vector<int>& fds);
  void kill();

  std::string program_;
  std::string shown_as_;
  Peer peer_;
  pid_t pid_ = 0;
  int children_ = 0;
  std::chrono::steady_clock::time_point started_;
};

struct Nurseries {
  explicit Nurseries(const std::string& libexec)
      : monitor(libexec + "/sallyport-monitor", "sallyportd: monitor"),
        front(libexec + "/sallyport-front", "sallyportd: front"),
        back(libexec + "/sallyport-back", "sallyportd: back") {}
  std::array<Nursery*, 3> all() { return {&monitor, &front, &back}; }

  Nursery monitor;
  Nursery front;
  Nursery back;
};

}  // namespace sallyport::gate
