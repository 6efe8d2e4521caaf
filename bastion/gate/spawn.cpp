// SPDX-License-Identifier: Apache-2.0
#include "bastion/gate/spawn.h"

#include "shared/base/log.h"
#include "shared/base/place_descriptors.h"
#include "shared/ipc/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <csignal>

namespace sallyport::gate {

namespace {

// glibc before 2.40 copies with `rep movsb`, which on AMD's Zen 3 and 4 takes 17 times as long
// where the destination is 1 to 15 bytes further in its page than the source (sourceware bug
// 30994). libssh's buffers are: 20 % of front's time was one memcpy.
constexpr const char* kMemcpyTunable =
    "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000";

// Whatever gate was started with, a terminal perhaps, is not theirs.
void replace_standard_streams(int lifeline) {
  const int null = ::open("/dev/null", O_RDWR);
  const int input = lifeline >= 0 ? lifeline : null;
  if (null < 0 || ::dup2(input, STDIN_FILENO) < 0 || ::dup2(null, STDOUT_FILENO) < 0) {
    ::_exit(127);
  }
}

// For the user that we are now: the kernel remembers who asked, and checks against that.
void hold_on_to_lifeline() {
  if (::fcntl(STDIN_FILENO, F_SETOWN, ::getpid()) != 0 ||
      ::fcntl(STDIN_FILENO, F_SETSIG, SIGTERM) != 0 ||
      ::fcntl(STDIN_FILENO, F_SETFL, O_ASYNC) != 0) {
    ::_exit(127);
  }
  pollfd closed_already{STDIN_FILENO, 0, 0};
  if (::poll(&closed_already, 1, 0) != 0) {
    ::_exit(0);
  }
}

void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGCHLD, SIGTERM, SIGINT, SIGHUP}) {
    std::signal(signal, SIG_DFL);
  }
}

[[noreturn]] void become(const Program& program) {
  reset_signals();
  replace_standard_streams(program.lifeline);
  place_descriptors(program.descriptors);
  if (!program.user.empty()) {
    drop_to_user(program.user);
  }
  if (program.lifeline >= 0) {
    hold_on_to_lifeline();
  }
  std::vector<char*> argv{const_cast<char*>(program.shown_as.c_str())};
  for (const std::string& argument : program.arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  char* const own_environment[] = {const_cast<char*>(kMemcpyTunable), nullptr};
  ::unsetenv("NOTIFY_SOCKET");
  ::execve(program.path.c_str(), argv.data(),
           program.keep_environment ? ::environ : own_environment);
  log_error("cannot execute", {{"path", program.path}});
  ::_exit(127);
}

}  // namespace

Result<std::string> libexec_directory() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0) {
    return errno_error("/proc/self/exe");
  }
  const std::string self(path.data(), static_cast<size_t>(size));
  const std::string bin = self.substr(0, self.rfind('/'));
  const std::string root = bin.substr(0, bin.rfind('/'));
  for (const char* place : {"/libexec/sallyport", "/libexec"}) {
    if (::access((root + place + "/sallyport-front").c_str(), X_OK) == 0) {
      return root + place;
    }
  }
  return Error{Errc::not_found, "no libexec folder with sallyport-front beside " + bin +
                                    "; install or build all of Sallyport"};
}

Result<pid_t> spawn(const Program& program) {
  const pid_t child = ::fork();
  if (child < 0) {
    return errno_error("fork");
  }
  if (child == 0) {
    become(program);
  }
  return child;
}

}  // namespace sallyport::gate
