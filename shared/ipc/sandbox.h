// SPDX-License-Identifier: Apache-2.0
//
// The entry of every process, in this order: log_start, harden_process, configuration,
// drop_to_user, prepare libraries, enter_sandbox, loop. Any failure is fatal.
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <string>

namespace sallyport {

// no_new_privs, non-dumpable (no core, no ptrace by the same user), RLIMIT_CORE 0, SIGPIPE
// ignored, umask 077.
void harden_process();

// As root: becomes this user with no supplementary groups, for good. As anybody else: nothing, so
// that tests and the quick start need no root. fatal() when the user does not exist.
void drop_to_user(const std::string& user);

// system users made by systemd/sysusers.d; gate's user is that of the session processes too.
inline constexpr const char* kSessionUser = "sallyport";
inline constexpr const char* kAuthdUser = "sallyport-authd";
inline constexpr const char* kKeydUser = "sallyport-keyd";
inline constexpr const char* kStoredUser = "sallyport-stored";
inline constexpr const char* kWitnessUser = "sallyport-witness";

// What a sandboxed process may still do: work on the descriptors that it has. No open, no socket,
// no exec, no fork, no ptrace, no executable memory. A violation kills the process (SIGSYS).
enum class SandboxProfile {
  front,    // sockets, random numbers, time
  back,     // the same
  monitor,  // the same, and appending to recordings; descriptors may be passed
  screen,   // read and write only: the player's emulator
};
void enter_sandbox(SandboxProfile profile);

// RLIMIT_AS is useless with ASAN; RLIMIT_DATA bounds what malloc may take.
void limit_memory(uint64_t bytes);
void limit_descriptors(uint64_t count);  // or as many as we may have, if that is less

}  // namespace sallyport
