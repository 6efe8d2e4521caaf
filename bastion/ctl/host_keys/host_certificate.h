// SPDX-License-Identifier: Apache-2.0
//
// OpenSSH's certificates (PROTOCOL.certkeys), as far as a host has one.
#pragma once

#include "shared/base/result.h"
#include "shared/config/host_key.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct HostCertificate {
  PublicKeyLine key;  // the one that is certified
  uint64_t serial = 0;
  uint32_t kind = 0;  // 1: of a user, 2: of a host
  std::string key_id;
  std::vector<std::string> principals;
  uint64_t valid_after = 0;  // seconds since 1970
  uint64_t valid_before = 0;
  bool has_critical_options = false;
  std::vector<uint8_t> ca;  // blob of the signing key
  std::vector<uint8_t> signed_part;
  std::vector<uint8_t> signature;
};

bool is_certificate_type(std::string_view type);  // "ssh-ed25519-cert-v01@openssh.com", ...

// Takes it apart; nothing of it is believed yet.
Result<HostCertificate> parse_host_certificate(std::span<const uint8_t> blob);

// Whether `ca` certifies here that this is the key of one of the `names`: signed by it, of a host,
// one of the names among its principals (none at all is not "any", as it once was in OpenSSH),
// valid at `now`, no critical option. The error is what is wrong: "is of a user, not of a host".
Status check_host_certificate(const HostCertificate& certificate, const PublicKeyLine& ca,
                              std::span<const std::string> names, uint64_t now);

}  // namespace sallyport
