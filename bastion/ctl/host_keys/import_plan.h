// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/ctl/host_keys/known_hosts.h"
#include "shared/config/config.h"

#include <map>
#include <string>
#include <vector>

namespace sallyport {

// What a known_hosts file means for the inventory. A line for "host" is for port 22 alone; names
// are those of TargetNames. A key that a line revokes is revoked for every host, wherever the line
// stands in the file: to revoke too much refuses a session, to revoke too little lets a thief in.
struct ImportPlan {
  std::map<std::string, std::vector<std::string>> pins;    // target: keys that it has not yet
  std::map<std::string, std::vector<std::string>> unpins;  // target: keys that are revoked
  std::map<std::string, HostCaConfig> host_cas;            // "ca-" and 8 digits of the key's hash
  std::vector<std::string> revoked;                        // not revoked yet
  std::vector<std::string> used;                           // a line of text for each line of it
  std::map<std::string, std::vector<size_t>> not_used;     // why: which lines
  bool changes_anything() const {
    return !pins.empty() || !unpins.empty() || !host_cas.empty() || !revoked.empty();
  }
};

ImportPlan plan_import(const KnownHosts& file, const Config& config);

std::string list_lines(const std::vector<size_t>& lines);  // "line 3", "lines 3-5, 9"

}  // namespace sallyport
