// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/address.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// OpenSSH's match_pattern_list(): one of the patterns must match, and none with '!' in front.
// Upper and lower case are the same.
bool host_matches(std::span<const std::string> patterns, std::string_view host);

// The host field of a known_hosts line, "a,b,*.c,!d", or one hashed name, "|1|SALT|HASH": the
// HMAC-SHA1 of the name in lower case (`HashKnownHosts yes`).
bool host_field_matches(std::string_view field, std::string_view host);

std::vector<std::string> split_patterns(std::string_view field);

// As OpenSSH writes a host into known_hosts: "host", and "[host]:port" where that is not 22.
std::string known_hosts_name(const HostPort& address);

}  // namespace sallyport
