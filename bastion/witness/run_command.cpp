// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/run_command.h"

#include "shared/base/printable.h"
#include "shared/base/unique_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

namespace sallyport::witness {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxOutputBytes = 256 * 1024;
constexpr size_t kMaxLineCharacters = 200;
constexpr int kLookMs = 200;  // for `cancelled`

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return errno_error("pipe");
  }
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// A group of its own, and none of the signals that the daemon blocks or ignores.
class SpawnAttributes {
public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t pipe;
    ::sigemptyset(&none);
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &pipe);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

private:
  posix_spawnattr_t attributes_{};
};

class FileActions {
public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

private:
  posix_spawn_file_actions_t actions_{};
};

Result<pid_t> spawn(const std::vector<std::string>& arguments, int in, int out, int err) {
  FileActions actions;
  ::posix_spawn_file_actions_adddup2(actions.get(), in, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(actions.get(), out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(actions.get(), err, STDERR_FILENO);
  std::vector<std::string> words = arguments;
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, argv[0], actions.get(), SpawnAttributes().get(), argv.data(), environ);
  return failed == 0 ? Result(child)
                     : Error{Errc::io, words[0] + " cannot be run: " + std::strerror(failed)};
}

// The three pipes of a running command, until it has ended.
class Conversation {
public:
  Conversation(const std::string& input, UniqueFd in, UniqueFd out, UniqueFd err)
      : input_(input), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)) {
    for (const int fd : {in_.get(), out_.get(), err_.get()}) {
      ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
  }

  // True when the process has ended.
  bool step(int process, int wait_ms) {
    write_input();
    std::array<pollfd, 4> fds = {pollfd{process, POLLIN, 0}, pollfd{in_.get(), POLLOUT, 0},
                                 pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0}};
    (void)::poll(fds.data(), fds.size(), wait_ms);
    read_from(out_, output_);
    read_from(err_, errors_);
    return (fds[0].revents & POLLIN) != 0;
  }
  std::string output() && { return std::move(output_); }
  std::string first_error() const {
    return printable(std::string_view(errors_).substr(0, errors_.find('\n')), kMaxLineCharacters);
  }

private:
  void write_input() {
    while (in_ && written_ < input_.size()) {
      const ssize_t put = ::write(in_.get(), input_.data() + written_, input_.size() - written_);
      if (put < 0 && errno == EAGAIN) {
        return;
      }
      if (put < 0 && errno != EINTR) {
        break;  // it does not read
      }
      written_ += put > 0 ? static_cast<size_t>(put) : 0;
    }
    in_.reset();
  }
  static void read_from(UniqueFd& fd, std::string& into) {
    char buffer[4096];
    while (fd) {
      const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
      if (got > 0) {
        into.append(buffer, std::min(static_cast<size_t>(got), kMaxOutputBytes - into.size()));
      } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        fd.reset();
      } else if (errno == EAGAIN) {
        return;
      }
    }
  }

  const std::string& input_;
  size_t written_ = 0;
  UniqueFd in_;
  UniqueFd out_;
  UniqueFd err_;
  std::string output_;
  std::string errors_;
};

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<CommandOutput> run_command(const std::vector<std::string>& arguments,
                                  const std::string& input, std::chrono::milliseconds patience,
                                  const std::atomic<bool>& cancelled) {
  auto in = make_pipe();
  auto out = make_pipe();
  auto err = make_pipe();
  for (const auto* pipe : {&in, &out, &err}) {
    if (!*pipe) {
      return pipe->error();
    }
  }
  const auto child = spawn(arguments, in->read.get(), out->write.get(), err->write.get());
  if (!child) {
    return child.error();
  }
  in->read.reset();
  out->write.reset();
  err->write.reset();
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, *child, 0)));
  Conversation conversation(input, std::move(in->write), std::move(out->read),
                            std::move(err->read));
  const auto deadline = Clock::now() + patience;
  while (!conversation.step(process.get(), kLookMs)) {
    if (Clock::now() >= deadline || cancelled) {
      ::kill(-*child, SIGKILL);
      wait_for(*child);
      return Error{Errc::io, arguments.front() + " does not end; it was killed"};
    }
  }
  CommandOutput done;
  done.status = wait_for(*child);
  done.error_line = conversation.first_error();
  done.output = std::move(conversation).output();
  return done;
}

}  // namespace sallyport::witness
