// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex.h"
#include "shared/recording/envelope.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

using namespace sallyport;

namespace {

constexpr int kChildFd = 9;
constexpr const char* kChildMode = "SALLYPORT_TEST_SANDBOX";
constexpr const char* kChildRecipient = "SALLYPORT_TEST_RECIPIENT";

// The list in writer.h, and leaving. Everything else kills.
void enter_sandbox() {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  for (const int call : {SCMP_SYS(write), SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(brk),
                         SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
                         SCMP_SYS(futex), SCMP_SYS(close), SCMP_SYS(exit_group)}) {
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) {
      ::_exit(3);
    }
  }
  if (seccomp_load(filter) != 0) {
    ::_exit(3);
  }
}

bool record_everything(UniqueFd fd, const AgeRecipient& recipient) {
  const RecordingSetup setup{Id{}, 0, "node", 0, {recipient}};
  const auto for_two =
      seal_envelope(SecretBytes(32), {{recipient}, {age_generate_identity().recipient()}});
  if (!for_two) {
    return false;
  }
  auto created = RecordingWriter::create(std::move(fd), setup, kTestHeader);
  if (!created) {
    return false;
  }
  RecordingWriter& writer = *created;
  bool done = true;
  for (uint64_t i = 0; i < 200; ++i) {
    done = done && writer.add_event(i, 'o', std::string(30'000, 'a')) &&
           writer.add_event(i, 'o', "\xff\xe2") && writer.flush() &&
           writer.add_bytes(i, ByteDirection::output, as_bytes(std::string(40'000, 'b'))) &&
           writer.add_text(i, "line");
  }
  return done && writer.finish();
}

// Runs the hidden test below in a process that has not touched OpenSSL yet. 0, or the signal that
// ended it, or 256 for another failure.
int run_child(const MemoryFile& file, const char* mode) {
  const UniqueFd fd = file.writing_end();
  const std::string recipient = test_identities().front().recipient().text();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(fd.get(), kChildFd);
    ::setenv(kChildMode, mode, 1);
    ::setenv(kChildRecipient, recipient.c_str(), 1);
    ::execl("/proc/self/exe", "test_recording", "recording: the sandboxed child", nullptr);
    ::_exit(4);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) == 0 ? 0 : 256;
}

}  // namespace

TEST_CASE("recording: the sandboxed child", "[.]") {
  const char* mode_text = std::getenv(kChildMode);
  const char* recipient_text = std::getenv(kChildRecipient);
  REQUIRE((mode_text != nullptr && recipient_text != nullptr));
  const std::string mode = mode_text;
  const auto recipient = parse_age_recipient(recipient_text);
  REQUIRE(recipient);
  if (mode != "unprepared") {
    RecordingWriter::prepare_process();
  }
  enter_sandbox();
  if (mode == "open") {
    ::open("/dev/null", O_RDONLY);
  }
  ::_exit(record_everything(UniqueFd(kChildFd), *recipient) ? 0 : 1);
}

TEST_CASE("recording: the writer needs no system call but those that it names") {
  const MemoryFile file;
  CHECK(run_child(file, "prepared") == 0);
  const ReadBack got = read_back(file.bytes());
  CHECK(got.error.empty());
  CHECK(got.ended);
}

TEST_CASE("recording: that sandbox does kill, for an open and for a process not prepared") {
  CHECK(run_child(MemoryFile(), "open") == SIGSYS);
  CHECK(run_child(MemoryFile(), "unprepared") == SIGSYS);
}
