// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/sandbox.h"

#include "shared/base/handle.h"
#include "shared/base/log.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <initializer_list>

namespace sallyport {

namespace {

void set_limit(__rlimit_resource resource, uint64_t value) {
  const rlimit limit{value, value};
  if (::setrlimit(resource, &limit) != 0) {
    fatal("setrlimit failed");
  }
}

// Allowed in every profile: memory without PROT_EXEC (below), time, waiting, the end.
constexpr int kCommonCalls[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(close),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo),
};

constexpr int kSocketCalls[] = {
    SCMP_SYS(readv),      SCMP_SYS(writev),      SCMP_SYS(shutdown),  SCMP_SYS(getsockopt),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(fstat),
};

class Filter {
public:
  Filter() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS)) {
    if (context_ == nullptr) {
      fatal("seccomp_init failed");
    }
  }
  void allow(std::initializer_list<scmp_arg_cmp> conditions, int call) {
    if (seccomp_rule_add_array(context_.get(), SCMP_ACT_ALLOW, call,
                               static_cast<unsigned>(conditions.size()), conditions.begin()) != 0) {
      fatal("seccomp_rule_add failed");
    }
  }
  template <size_t N>
  void allow_all(const int (&calls)[N]) {
    for (const int call : calls) {
      allow({}, call);
    }
  }
  void load() {
    if (seccomp_load(context_.get()) != 0) {
      fatal("seccomp_load failed");
    }
  }

private:
  Handle<void, seccomp_release> context_;
};

}  // namespace

void harden_process() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    fatal("prctl failed");
  }
  set_limit(RLIMIT_CORE, 0);
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(077);
}

void drop_to_user(const std::string& user) {
  if (::geteuid() != 0) {
    return;
  }
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) {
    fatal("there is no user " + user + ": run systemd-sysusers, or sallyportctl init as root");
  }
  if (::setgroups(0, nullptr) != 0 ||
      ::setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
      ::setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0) {
    fatal("cannot become user " + user);
  }
  if (::setuid(0) == 0) {
    fatal("still root after dropping to " + user);
  }
  // Changing the user makes a process non-dumpable or dumpable by fs.suid_dumpable: say it again.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    fatal("prctl failed");
  }
}

void enter_sandbox(SandboxProfile profile) {
  Filter filter;
  filter.allow_all(kCommonCalls);
  // Not SCMP_A2(): that is a compound literal, which is C, and clang says so.
  const scmp_arg_cmp no_exec{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
  filter.allow({no_exec}, SCMP_SYS(mmap));
  filter.allow({no_exec}, SCMP_SYS(mprotect));
  // abort() and our own threads only; and no F_SETOWN: both could signal every process of our user.
  const auto self = static_cast<scmp_datum_t>(::getpid());
  filter.allow({scmp_arg_cmp{0, SCMP_CMP_EQ, self, 0}}, SCMP_SYS(tgkill));
  if (profile != SandboxProfile::screen) {
    filter.allow_all(kSocketCalls);
    for (const int command : {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC}) {
      const auto value = static_cast<scmp_datum_t>(command);
      filter.allow({scmp_arg_cmp{1, SCMP_CMP_EQ, value, 0}}, SCMP_SYS(fcntl));
    }
    filter.allow({scmp_arg_cmp{1, SCMP_CMP_EQ, 0x541b /* FIONREAD */, 0}}, SCMP_SYS(ioctl));
  }
  filter.load();
}

void limit_memory(uint64_t bytes) {
  set_limit(RLIMIT_DATA, bytes);
}

void limit_descriptors(uint64_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  set_limit(RLIMIT_NOFILE, std::min<uint64_t>(count, limit.rlim_max));
}

}  // namespace sallyport
