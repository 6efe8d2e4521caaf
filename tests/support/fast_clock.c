// SPDX-License-Identifier: Apache-2.0
// Time that a test moves on. Copies of the bastion's executables need this library before libc:
// every clock that they read is ahead of the kernel's by the nanoseconds in the file
// FAST_CLOCK_FILE, and poll, epoll_wait end when their timeout has passed by that clock.
//
// Left to the kernel: TCP, and nanosleep and timed waits of threads for each other, which the
// bastion uses only for pauses of its own (the sync of the disk once a second, the start, the end).
// Only kernel calls that the sandboxes allow.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { kSecond = 1000000000, kMillisecond = 1000000, kSlice = 5 * kMillisecond };

static const _Atomic int64_t* ahead;
static int (*kernel_clock)(clockid_t, struct timespec*);
static long (*kernel_call)(long, ...);

__attribute__((constructor)) static void start(void) {
  const int fd = open(FAST_CLOCK_FILE, O_RDONLY | O_CLOEXEC);
  const void* page = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
  if (fd < 0 || page == MAP_FAILED) {
    abort();
  }
  close(fd);
  ahead = page;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  if (kernel_clock == NULL) {
    kernel_clock = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  }
  const int result = kernel_clock(clock, time);
  const int is_cpu_time = clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
  if (result == 0 && ahead != NULL && !is_cpu_time) {
    const int64_t ns = time->tv_nsec + *ahead % kSecond;
    time->tv_sec += *ahead / kSecond + ns / kSecond;
    time->tv_nsec = ns % kSecond;
  }
  return result;
}

int gettimeofday(struct timeval* restrict time, void* restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* where) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (where != NULL) {
    *where = now.tv_sec;
  }
  return now.tv_sec;
}

// `until` is a moment of the clock above, and the kernel waits by its own.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const struct timespec* until) {
  static int (*wait)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*);
  if (wait == NULL) {
    wait = (int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*))dlsym(
        RTLD_NEXT, "pthread_cond_clockwait");
  }
  const int64_t ns = until->tv_sec * (int64_t)kSecond + until->tv_nsec - *ahead;
  const struct timespec kernel_until = {ns / kSecond, ns % kSecond};
  return wait(condition, mutex, clock, &kernel_until);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * (int64_t)kSecond + now.tv_nsec;
}

static int64_t slice_until(int64_t deadline) {
  const int64_t left = deadline - now_ns();
  return left < 0 ? 0 : left < kSlice ? left : kSlice;
}

static int wait_poll(struct pollfd* fds, nfds_t count, int timeout_ms) {
  if (timeout_ms < 0) {
    return ppoll(fds, count, NULL, NULL);
  }
  const int64_t deadline = now_ns() + timeout_ms * (int64_t)kMillisecond;
  for (;;) {
    const int64_t slice = slice_until(deadline);
    const struct timespec pause = {0, slice};
    const int ready = ppoll(fds, count, &pause, NULL);
    if (ready != 0 || slice == 0) {
      return ready;
    }
  }
}

int poll(struct pollfd* fds, nfds_t count, int timeout_ms) {
  return wait_poll(fds, count, timeout_ms);
}

int epoll_wait(int epoll, struct epoll_event* events, int count, int timeout_ms) {
  if (timeout_ms < 0) {
    return epoll_pwait(epoll, events, count, -1, NULL);
  }
  const int64_t deadline = now_ns() + timeout_ms * (int64_t)kMillisecond;
  for (;;) {
    const int64_t slice = slice_until(deadline);
    const int slice_ms = (int)((slice + kMillisecond - 1) / kMillisecond);
    const int ready = epoll_pwait(epoll, events, count, slice_ms, NULL);
    if (ready != 0 || slice == 0) {
      return ready;
    }
  }
}

// front and back have a poll of their own (shared/ssh/large_reads.cpp), which asks the kernel here.
long syscall(long number, ...) {
  long a[6];
  va_list arguments;
  va_start(arguments, number);
  for (int i = 0; i < 6; ++i) {
    a[i] = va_arg(arguments, long);
  }
  va_end(arguments);
#ifdef SYS_poll
  if (number == SYS_poll) {
    return wait_poll((struct pollfd*)a[0], (nfds_t)a[1], (int)a[2]);
  }
#endif
  if (kernel_call == NULL) {
    kernel_call = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  }
  return kernel_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
