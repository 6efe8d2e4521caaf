// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/gate/spawn.h"
#include "shared/base/result.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace sallyport::gate {

// R20: why this address is never dialled (unspecified, multicast, link-local and so the metadata
// services of clouds, our own listeners), or nothing.
std::optional<std::string> why_never_dialled(const sockaddr* address,
                                             const std::vector<std::string>& own_listeners);

// Whether this TCP connection arrived at one of our own listeners: one that listens on all
// addresses, or one that was reached by IPv4 spelt as IPv6.
bool leads_back(int fd, const std::vector<std::string>& own_listeners);

// Starts the child that resolves the target once, checks what it found, connects, and then becomes
// back with the connection as descriptor 3. The resolver waits there and never in gate (R16). A
// failure is said to the monitor (SessionFailed on program.descriptors[0]).
Result<pid_t> dial_and_become(const std::string& target, const std::string& target_address,
                              const std::vector<std::string>& own_listeners, Program back);

}  // namespace sallyport::gate
