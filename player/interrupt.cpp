// SPDX-License-Identifier: Apache-2.0
#include "player/interrupt.h"

#include <csignal>
#include <initializer_list>

namespace sallyport {

namespace {

volatile std::sig_atomic_t caught = 0;

void on_signal(int) {
  caught = 1;
}

}  // namespace

void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(signal, &action, nullptr);
  }
}

bool interrupted() {
  return caught != 0;
}

}  // namespace sallyport
