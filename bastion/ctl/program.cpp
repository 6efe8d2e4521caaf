// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/program.h"

#include "shared/base/unique_fd.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sallyport {

namespace {

constexpr size_t kMaxOutputBytes = size_t{1024} * 1024;

class FileActions {
public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  FileActions(FileActions&&) = delete;
  FileActions& operator=(FileActions&&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

private:
  posix_spawn_file_actions_t actions_{};
};

std::string read_all(int fd) {
  std::string out;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got > 0 && out.size() < kMaxOutputBytes) {
      out.append(buffer, static_cast<size_t>(got));
    } else if (got == 0 || (got < 0 && errno != EINTR)) {
      return out;
    }
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<ProgramOutput> run_program(const std::vector<std::string>& arguments,
                                  const std::string& package, ProgramErrors errors) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return errno_error("pipe");
  }
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  FileActions actions;
  ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), writing.get(), STDOUT_FILENO);
  if (errors == ProgramErrors::hidden) {
    ::posix_spawn_file_actions_addopen(actions.get(), STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  std::vector<std::string> words = arguments;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, argv[0], actions.get(), nullptr, argv.data(), environ);
  if (failed != 0) {
    return Error{Errc::io, words[0] + " cannot be run (" + std::strerror(failed) +
                               "); install the package " + package};
  }
  writing.reset();
  ProgramOutput out;
  out.output = read_all(reading.get());
  out.status = wait_for(child);
  return out;
}

}  // namespace sallyport
