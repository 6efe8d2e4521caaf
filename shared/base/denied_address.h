// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

namespace sallyport {

// R20: addresses that nothing of ours connects to, and nothing is forwarded to: unspecified,
// link-local (and so the metadata services of clouds), multicast, reserved. IPv4 inside IPv6 counts
// as IPv4.
bool is_denied_address(const in_addr& address);
bool is_denied_address(const in6_addr& address);

}  // namespace sallyport
