// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

namespace sallyport::back {

// R20: why this address is never dialled (unspecified, multicast, link-local and so the metadata
// services of clouds, our own listeners), or nothing.
std::optional<std::string> why_never_dialled(const sockaddr* address,
                                             const std::vector<std::string>& own_listeners);

// Whether this TCP connection arrived at one of our own listeners: one that listens on all
// addresses, or one that was reached by IPv4 spelt as IPv6.
bool leads_back(int fd, const std::vector<std::string>& own_listeners);

// Resolves the target once, checks what it found, and connects to that: TCP_NODELAY and keepalive
// are set. Waits for the resolver, and 10 s for each address. Errors are for the user to read.
Result<UniqueFd> dial(const std::string& target_address,
                      const std::vector<std::string>& own_listeners);

}  // namespace sallyport::back
