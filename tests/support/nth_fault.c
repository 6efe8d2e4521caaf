// SPDX-License-Identifier: Apache-2.0
//
// Makes one call of a kind fail: the n-th since the process began. libfiu has most of the calls
// (fiu_posix_preload.so), this has the counting, and the calls that libfiu does not know. What is
// to fail stands in a page that the test has mapped, too (tests/support/nth_fault.py). A nursery's
// next child takes the order at its fork: nothing is left to do in its sandbox but to count.
#define _GNU_SOURCE
#define FIU_ENABLE  // fiu_fail() asks
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fiu-control.h>
#include <fiu.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FOR_EXECUTED = 0, FOR_NEXT_FORKED = 1, TAKEN = 2 };

struct order {
  char point[64];  // libfiu's name of the call; empty: nothing fails
  _Atomic int64_t nth;
  _Atomic int64_t error;
  _Atomic int64_t calls;  // so far
  _Atomic int64_t whom;
};

static struct order* order;

static int is_nth(const char* name, int* number, void** info, unsigned int* flags) {
  (void)name;
  (void)number;
  (void)flags;
  *info = (void*)(intptr_t)atomic_load(&order->error);
  return atomic_fetch_add(&order->calls, 1) + 1 == atomic_load(&order->nth);
}

static void take_order(void) {
  if (order->point[0] != '\0') {
    fiu_enable_external(order->point, 1, NULL, 0, is_nth);
  }
}

static void take_order_if_next(void) {
  int64_t wanted = FOR_NEXT_FORKED;
  if (order != NULL && atomic_compare_exchange_strong(&order->whom, &wanted, TAKEN)) {
    take_order();
  }
}

__attribute__((constructor)) static void begin(void) {
  const int fd = open(NTH_FAULT_FILE, O_RDWR | O_CLOEXEC);
  void* page = fd < 0 ? MAP_FAILED
                      : mmap(NULL, sizeof(struct order), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (page == MAP_FAILED) {
    _exit(70);
  }
  order = page;
  fiu_init(0);
  if (atomic_load(&order->whom) == FOR_EXECUTED) {
    take_order();
  }
}

static void* real(const char* name) {
  return dlsym(RTLD_NEXT, name);
}

static int fails(const char* point) {
  if (fiu_fail(point) == 0) {
    return 0;
  }
  errno = (int)(intptr_t)fiu_failinfo();
  return 1;
}

// A nursery forks with clone(2) by its number (shared/ipc/nursery.cpp).
long syscall(long number, ...) {
  static long (*call)(long, ...);
  if (call == NULL) {
    call = (long (*)(long, ...))(intptr_t)real("syscall");
  }
  long arguments[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; ++i) {
    arguments[i] = va_arg(list, long);
  }
  va_end(list);
  const long result = call(number, arguments[0], arguments[1], arguments[2], arguments[3],
                           arguments[4], arguments[5]);
  if (number == SYS_clone && result == 0) {
    take_order_if_next();
  }
  return result;
}

int syncfs(int fd) {
  return fails("sallyport/syncfs") ? -1 : ((int (*)(int))(intptr_t)real("syncfs"))(fd);
}

int openat(int folder, const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list list;
    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
  }
  return fails("sallyport/openat")
             ? -1
             : ((int (*)(int, const char*, int, ...))(intptr_t)real("openat"))(folder, path, flags,
                                                                               mode);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned int flags) {
  return fails("sallyport/renameat2")
             ? -1
             : ((int (*)(int, const char*, int, const char*, unsigned int))(intptr_t)real(
                   "renameat2"))(from_folder, from, to_folder, to, flags);
}
