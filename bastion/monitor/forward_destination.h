// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/ipc/messages.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::monitor {

// "web1:80", "[fe80::1]:80": what the globs of a role are compared with, and recordings say.
std::string host_and_port(const std::string& host, uint16_t port);

// Letters, digits and what stands in names and addresses; at most 255.
bool is_host_text(const std::string& host);

// R20, as far as it can be known here: the target connects, and resolves names itself. Addresses in
// any spelling that a resolver takes ("0xa9fea9fe", "169.254.43518").
std::optional<std::string> why_never_forwarded(const std::string& host);

}  // namespace sallyport::monitor
