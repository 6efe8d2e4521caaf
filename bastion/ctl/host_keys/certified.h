// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/ctl/host_keys/host_certificate.h"
#include "shared/config/address.h"
#include "shared/config/config.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// The names that a target goes by: its address's host, and what people type. In lower case, as
// OpenSSH compares them.
struct TargetNames {
  TargetNames(const std::string& name, const HostPort& address);
  std::vector<std::string> plain;  // "10.0.0.5", "web1": a certificate's principals
  std::vector<std::string>
      known_hosts;  // "[10.0.0.5]:2222", "[web1]:2222" where the port is not 22
};

// The host CAs whose patterns name it. A pattern without a port is for every port. A certificate
// counts when the name that a CA's pattern fits is also among its principals.
std::map<std::string, HostCaConfig> cas_for(const std::map<std::string, HostCaConfig>& cas,
                                            const TargetNames& names);

struct Certified {
  std::vector<PublicKeyLine> keys;
  std::vector<std::string>
      notes;  // a line for each certificate: by whom, or why it is worth nothing
};
Certified certified_keys(const std::map<std::string, HostCaConfig>& cas, const TargetNames& names,
                         std::span<const HostCertificate> certificates, uint64_t now);

}  // namespace sallyport
