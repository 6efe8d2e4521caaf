// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/confine.h"

#include "shared/ipc/sandbox.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

using namespace sallyport;

namespace {

int end_of_child(const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    harden_process();
    forbid_network();
    action();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("keyd keeps its files and its UNIX sockets") {
  CHECK(end_of_child([] {
          int fds[2];
          const bool works = ::open("/", O_RDONLY | O_DIRECTORY) >= 0 &&
                             ::socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0 &&
                             ::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0;
          ::_exit(works ? 0 : 1);
        }) == 0);
}

TEST_CASE("every other socket kills keyd") {
  for (const int domain : {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG}) {
    CHECK(end_of_child([domain] { ::socket(domain, SOCK_STREAM, 0); }) == -SIGSYS);
  }
  CHECK(end_of_child([] {
          // The kernel takes the low half of the register only; the filter sees all of it.
          ::syscall(SYS_socket, (1L << 32) | AF_INET, SOCK_STREAM, 0);
        }) == -SIGSYS);
}

TEST_CASE("execve, ptrace and io_uring kill keyd") {
  CHECK(end_of_child([] {
          char* const none[] = {nullptr};
          ::execve("/bin/true", none, none);
        }) == -SIGSYS);
  CHECK(end_of_child([] {
          char* const none[] = {nullptr};
          ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0);
        }) == -SIGSYS);
  CHECK(end_of_child([] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }) == -SIGSYS);
  CHECK(end_of_child([] { ::syscall(SYS_io_uring_setup, 1, nullptr); }) == -SIGSYS);
  CHECK(end_of_child([] { ::syscall(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0); }) == -SIGSYS);
}
