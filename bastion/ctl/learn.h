// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/config/address.h"
#include "shared/config/host_key.h"

#include <string>
#include <vector>

namespace sallyport {

struct LearnFrom {
  HostPort address;
  std::vector<std::string> pinned;  // "type base64"
  std::string login;                // an account there that may log in and run `true`
  std::string identity;             // its key file; "": what the agent of SSH_AUTH_SOCK has
};

// Errc::denied: no pinned key was proven. Anything else: nothing is known.
//
// All host keys that a target announces (hostkeys-00@openssh.com) and proves
// (hostkeys-prove-00@openssh.com) inside of a connection in which it has proven a pinned one.
// OpenSSH's own client does it (UpdateHostKeys), with a known_hosts file that holds nothing but the
// pins. Only that is a proof: keys that are shown on connections of their own may come from
// somebody in between, who passes the pinned one's connection through and answers the others.
Result<std::vector<PublicKeyLine>> learn_host_keys(const LearnFrom& from);

}  // namespace sallyport
