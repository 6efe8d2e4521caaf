// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/confine.h"

#include "shared/base/handle.h"
#include "shared/base/log.h"

#include <openssl/crypto.h>

#include <pthread.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace sallyport {

namespace {

constexpr size_t kSecureHeapBytes = 512 * 1024;
constexpr size_t kSecureHeapPiece = 32;
constexpr size_t kThreadStackBytes = 1024 * 1024;  // the sanitizers need so much

constexpr int kForbidden[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
};

// Locked memory is there from the beginning, so a thread would cost its whole 8 MiB.
void limit_thread_stacks() {
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) == 0) {
    ::pthread_attr_setstacksize(&attributes, kThreadStackBytes);
    ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
  }
}

}  // namespace

Status lock_memory() {
  limit_thread_stacks();
  CRYPTO_secure_malloc_init(kSecureHeapBytes, kSecureHeapPiece);
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (limit.rlim_max == RLIM_INFINITY || ::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) {
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
    return ::mlockall(MCL_CURRENT | MCL_FUTURE) == 0 ? ok() : Status(errno_error("mlockall"));
  }
  // Locking what comes later under a small limit would make malloc fail in the middle of the work.
  return Error{Errc::limit,
               "memory may go to swap: set LimitMEMLOCK=infinity, or use encrypted swap"};
}

void forbid_network() {
  const Handle<void, seccomp_release> filter(seccomp_init(SCMP_ACT_ALLOW));
  // Of every thread that is there already, too.
  bool done = filter != nullptr && seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1) == 0;
  for (const int call : kForbidden) {
    done = done && seccomp_rule_add(filter.get(), SCMP_ACT_KILL_PROCESS, call, 0) == 0;
  }
  const scmp_arg_cmp not_unix{0, SCMP_CMP_NE, AF_UNIX, 0};
  for (const int call : {SCMP_SYS(socket), SCMP_SYS(socketpair)}) {
    done = done &&
           seccomp_rule_add_array(filter.get(), SCMP_ACT_KILL_PROCESS, call, 1, &not_unix) == 0;
  }
  if (!done || seccomp_load(filter.get()) != 0) {
    fatal("cannot forbid the network with seccomp");
  }
}

}  // namespace sallyport
