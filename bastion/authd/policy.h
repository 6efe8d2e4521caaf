// SPDX-License-Identifier: Apache-2.0
//
// Groups give roles; a role names targets, logins and channels. A right is what the roles that
// reach this target with this login give together.
#pragma once

#include "bastion/authd/typed_name.h"
#include "shared/base/result.h"
#include "shared/config/config.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

struct Right {
  std::string target;
  std::string login;
  uint32_t allowed = 0;                   // bits of Allowed
  std::vector<std::string> forward_to{};  // globs of "host:port"
  std::vector<std::string> listen_on{};   // globs of "address:port"
  uint64_t stream_bytes = 0;              // kept of each channel before a digest has to do
  uint64_t forward_bytes = 0;
  bool record_keystrokes = false;
  std::vector<std::string> roles{};  // their names

  bool operator==(const Right&) const = default;
};

// Everything that `right` allows, `other` allows too. How much is recorded is another matter.
bool is_within(const Right& right, const Right& other);

// Errc::denied with one line for the person: what was refused, why, whom to ask. A target that does
// not exist and one that is out of reach give the same answer.
Result<Right> decide(const Config& config, const std::vector<std::string>& groups,
                     const TypedName& wish);

// ssh -J: the target of the inventory that "host:port" means, by its name (with its own port or 22)
// or by its address. Errc::denied as above where no role of theirs reaches it.
Result<std::string> find_jump_target(const Config& config, const std::vector<std::string>& groups,
                                     const std::string& host, uint16_t port);

}  // namespace sallyport
