// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/sandbox.h"

#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

using namespace sallyport;

namespace {

// How a child ends that enters the sandbox and then does this: its exit status or -signal.
int end_of_child(SandboxProfile profile, const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    harden_process();
    enter_sandbox(profile);
    action();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

constexpr SandboxProfile kProfiles[] = {SandboxProfile::front, SandboxProfile::back,
                                        SandboxProfile::monitor, SandboxProfile::screen};

}  // namespace

TEST_CASE("the sandbox lets a process work on what it has") {
  for (const auto profile : kProfiles) {
    CHECK(end_of_child(profile, [] {
            std::string memory(10'000'000, 'x');
            ::write(STDERR_FILENO, memory.data(), 0);
          }) == 0);
  }
}

TEST_CASE("open, socket and execve kill the process") {
  for (const auto profile : kProfiles) {
    CHECK(end_of_child(profile, [] { ::open("/etc/passwd", O_RDONLY); }) == -SIGSYS);
    CHECK(end_of_child(profile, [] { ::socket(AF_INET, SOCK_STREAM, 0); }) == -SIGSYS);
    CHECK(end_of_child(profile, [] {
            char* const none[] = {nullptr};
            ::execve("/bin/true", none, none);
          }) == -SIGSYS);
    CHECK(end_of_child(profile, [] { (void)::fork(); }) == -SIGSYS);
    CHECK(end_of_child(profile, [] {
            (void)::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          }) == -SIGSYS);
    CHECK(end_of_child(profile, [] { (void)::ftruncate(STDERR_FILENO, 0); }) == -SIGSYS);
  }
}

TEST_CASE("a signal to another process, by tgkill or F_SETOWN, kills the sender") {
  const pid_t parent = ::getpid();
  for (const auto profile : kProfiles) {
    CHECK(end_of_child(profile, [parent] { ::tgkill(parent, parent, 0); }) == -SIGSYS);
    CHECK(end_of_child(profile, [parent] { ::fcntl(STDERR_FILENO, F_SETOWN, parent); }) == -SIGSYS);
    CHECK(end_of_child(profile, [] {
            std::signal(SIGABRT, SIG_DFL);  // the test framework's would report it
            std::abort();
          }) == -SIGABRT);
  }
}
