// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

namespace sallyport {

// Keeps this process's memory out of swap where RLIMIT_MEMLOCK allows it, and makes OpenSSL's
// secure heap (locked, guarded, not dumped) for the secret numbers of private keys. Call once,
// before dropping privilege and before the first key. Not locked: the text says what to set.
Status lock_memory();

// For keyd, which opens files all its life and so is not in one of the session sandboxes: from here
// on this process, with all its threads, makes no socket but AF_UNIX ones, executes nothing, traces
// nothing, reads no other process's memory, takes no other process's descriptors, and has no
// io_uring, which would make sockets behind the filter's back. A violation kills the process.
// fatal() when it cannot.
void forbid_network();

}  // namespace sallyport
