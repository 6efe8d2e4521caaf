// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/confine.h"

#include "shared/ipc/sandbox.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <future>
#include <thread>

using namespace sallyport;

namespace {

int end_of_child(const std::function<void()>& action,
                 const std::function<void()>& confine = forbid_network) {
  const pid_t child = ::fork();
  if (child == 0) {
    harden_process();
    confine();
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

TEST_CASE("a thread that was there before is held to it, too") {
  CHECK(end_of_child(
            [] {
              std::promise<void> confined;
              std::thread thread([&] {
                confined.get_future().wait();
                ::socket(AF_INET, SOCK_STREAM, 0);
              });
              forbid_network();
              confined.set_value();
              thread.join();
            },
            [] {}) == -SIGSYS);
}

TEST_CASE("a thread has a small stack, because all of it is locked") {
  CHECK(end_of_child([] {},
                     [] {
                       const auto locked = lock_memory();  // or not, where it may not be
                       size_t bytes = 0;
                       std::thread([&] {
                         pthread_attr_t attributes;
                         ::pthread_getattr_np(::pthread_self(), &attributes);
                         ::pthread_attr_getstacksize(&attributes, &bytes);
                         ::pthread_attr_destroy(&attributes);
                       }).join();
                       ::_exit(bytes > 0 && bytes <= 2 * 1024 * 1024 ? 0 : 1);
                     }) == 0);
}

TEST_CASE("a new thread can be made, and write and sync") {
  CHECK(end_of_child([] {
          bool works = false;
          std::thread([&] {
            const int fd = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
            works = fd >= 0 && ::write(fd, "x", 1) == 1 && ::fsync(fd) == 0;
          }).join();
          ::_exit(works ? 0 : 1);
        }) == 0);
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
