// SPDX-License-Identifier: Apache-2.0
//
// Makes one call of a kind fail: the n-th since the process began. libfiu has the calls
// (fiu_posix_preload.so), this has the counting, and syncfs(2), which libfiu does not know. What is
// to fail stands in a page that the test has mapped, too (tests/support/nth_fault.py).
#define _GNU_SOURCE
#define FIU_ENABLE  // fiu_fail() asks
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fiu-control.h>
#include <fiu.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

struct order {
  char point[64];  // libfiu's name of the call; empty: nothing fails
  _Atomic int64_t nth;
  _Atomic int64_t error;
  _Atomic int64_t calls;  // so far
};

static struct order* order;

static int is_nth(const char* name, int* number, void** info, unsigned int* flags) {
  (void)name;
  (void)number;
  (void)flags;
  *info = (void*)(intptr_t)atomic_load(&order->error);
  return atomic_fetch_add(&order->calls, 1) + 1 == atomic_load(&order->nth);
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
  if (order->point[0] != '\0') {
    fiu_enable_external(order->point, 1, NULL, 0, is_nth);
  }
}

int syncfs(int fd) {
  if (fiu_fail("sallyport/syncfs")) {
    errno = (int)(intptr_t)fiu_failinfo();
    return -1;
  }
  int (*real)(int) = (int (*)(int))(intptr_t)dlsym(RTLD_NEXT, "syncfs");
  return real(fd);
}
