// SPDX-License-Identifier: Apache-2.0
#include "bastion/gate/spawn.h"

#include "shared/base/unique_fd.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

using namespace sallyport;
using namespace sallyport::gate;

namespace {

std::string output_of(const std::string& script, std::vector<int> descriptors, int read_end) {
  const auto pid = spawn({"/bin/sh", "sallyportd: test", {"-c", script}, std::move(descriptors)});
  REQUIRE(pid);
  int status = 0;
  REQUIRE(::waitpid(*pid, &status, 0) == *pid);
  char text[4096];
  const ssize_t size = ::read(read_end, text, sizeof text);
  return std::string(text, size > 0 ? static_cast<size_t>(size) : 0);
}

}  // namespace

TEST_CASE("a process gets its descriptors in order and no other") {
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  const UniqueFd read_end(fds[0]);
  const UniqueFd write_end(fds[1]);
  const UniqueFd other(::open("/dev/null", O_RDONLY));  // not CLOEXEC, and not to be passed on
  // 3 and 4 are the pipe's write end; the shell itself opens no more for `ls`.
  const std::string listing = output_of("cd /proc/self/fd; echo * >&3; echo 4 >&4",
                                        {write_end.get(), write_end.get()}, read_end.get());
  CHECK(listing.find("3 4") != std::string::npos);
  CHECK(listing.find(" 5 ") == std::string::npos);
  CHECK(listing.ends_with("4\n"));
}

TEST_CASE("descriptors that stand in each other's way are moved aside first") {
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  // 3 and 4 crosswise.
  const UniqueFd read_end(::fcntl(fds[0], F_DUPFD, 20));
  REQUIRE(::dup2(fds[1], 21) == 21);
  const int null = ::open("/dev/null", O_RDWR);
  const std::string said = output_of("echo three >&4", {null, 21}, read_end.get());
  CHECK(said == "three\n");
  ::close(21);
  ::close(null);
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST_CASE("a session process starts with nothing of our environment") {
  int fds[2];
  REQUIRE(::pipe(fds) == 0);
  const UniqueFd read_end(fds[0]);
  const UniqueFd write_end(fds[1]);
  ::setenv("SECRET_FOR_GATE", "1", 1);
  const std::string variables =
      output_of("/usr/bin/env >&3; echo end >&3", {write_end.get()}, read_end.get());
  CHECK(variables.find("SECRET_FOR_GATE") == std::string::npos);
  CHECK(variables.ends_with("end\n"));
}

TEST_CASE("a process ends when its lifeline closes") {
  int fds[2];
  REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
  const UniqueFd read_end(fds[0]);
  UniqueFd write_end(fds[1]);
  const auto pid = spawn({.path = "/bin/sleep",
                          .shown_as = "sleep",
                          .arguments = {"60"},
                          .descriptors = {},
                          .user = ::geteuid() == 0 ? "nobody" : "",
                          .lifeline = read_end.get()});
  REQUIRE(pid);
  ::usleep(100'000);
  int status = 0;
  CHECK(::waitpid(*pid, &status, WNOHANG) == 0);
  write_end.reset();
  REQUIRE(::waitpid(*pid, &status, 0) == *pid);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}
