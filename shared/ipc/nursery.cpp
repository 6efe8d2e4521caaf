// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/nursery.h"

#include "shared/base/log.h"
#include "shared/base/place_descriptors.h"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace sallyport {

namespace {

constexpr int kForEver = -1;

// As fork(), but the parent is ours. What fork() does beyond the system call is for threads and for
// handlers of libraries; OpenSSL sees by the process id that it must seed itself again.
pid_t fork_for_parent() {
  return static_cast<pid_t>(::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
}

void drop_suffix(char* title) {
  const size_t size = std::strlen(title);
  const size_t suffix = std::strlen(kNurserySuffix);
  if (size > suffix && std::strcmp(title + size - suffix, kNurserySuffix) == 0) {
    std::memset(title + size - suffix, 0, suffix);
  }
}

std::vector<std::string> be_child(std::vector<std::string> arguments, std::vector<UniqueFd>& fds) {
  std::vector<int> numbers;
  for (UniqueFd& fd : fds) {
    numbers.push_back(fd.release());  // they are moved and closed by number
  }
  place_descriptors(numbers);
  return arguments;
}

}  // namespace

std::vector<std::string> wait_for_start(char** argv) {
  if (!peer_uid(kNurseryFd)) {
    fatal("this program is started by sallyportd");
  }
  Peer gate{UniqueFd(kNurseryFd)};
  for (;;) {
    auto received = receive_waiting(gate, kForEver);
    if (!received) {
      ::_exit(0);
    }
    auto start = decode_as<StartChild>(*received);
    if (!start) {
      fatal("gate sent something else than a start");
    }
    const pid_t child = fork_for_parent();
    if (child == 0) {
      (void)gate.release();  // place_descriptors() closes it
      drop_suffix(argv[0]);
      return be_child(std::move(start->arguments), received->fds);
    }
    if (!gate.send(ChildStarted{child > 0 ? static_cast<uint32_t>(child) : 0})) {
      ::_exit(0);
    }
  }
}

}  // namespace sallyport
