// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/wait.h>

#include <csignal>

using namespace sallyport;

namespace {

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

bool record_everything(UniqueFd fd, const RecordingSetup& setup) {
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

// 0, or the signal that ended the child, or 256 and its exit status.
int run_in_sandbox(const MemoryFile& file, bool opens_a_file) {
  UniqueFd fd = file.writing_end();
  const RecordingSetup setup = test_setup();
  const pid_t child = ::fork();
  if (child == 0) {
    RecordingWriter::prepare_process();
    enter_sandbox();
    if (opens_a_file) {
      ::open("/dev/null", O_RDONLY);
    }
    ::_exit(record_everything(std::move(fd), setup) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) == 0 ? 0 : 256;
}

}  // namespace

TEST_CASE("recording: the writer needs no system call but those that it names") {
  const MemoryFile file;
  CHECK(run_in_sandbox(file, false) == 0);
  const ReadBack got = read_back(file.bytes());
  CHECK(got.error.empty());
  CHECK(got.ended);
}

TEST_CASE("recording: that sandbox does kill") {
  CHECK(run_in_sandbox(MemoryFile(), true) == SIGSYS);
}
