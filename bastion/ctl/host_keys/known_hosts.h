// SPDX-License-Identifier: Apache-2.0
//
// OpenSSH's known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): [@marker] hosts type key
// [comment].
#pragma once

#include "shared/config/host_key.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct KnownHost {
  enum class Marker { none, cert_authority, revoked };
  size_t line = 0;  // from 1
  Marker marker = Marker::none;
  std::string hosts;  // as it stands there; host_field_matches() reads it
  PublicKeyLine key;
};

struct KnownHosts {
  struct Unreadable {
    size_t line;
    std::string why;
  };
  std::vector<KnownHost> entries;
  std::vector<Unreadable> unreadable;
};

// Reads every line; one that cannot be read hinders no other. Empty lines and comments are neither.
KnownHosts parse_known_hosts(std::string_view text);

}  // namespace sallyport
