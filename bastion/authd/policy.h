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
  uint32_t allowed = 0;  // bits of Allowed

  bool operator==(const Right&) const = default;
};

// Errc::denied with one line for the person: what was refused, why, whom to ask. A target that does
// not exist and one that is out of reach give the same answer.
Result<Right> decide(const Config& config, const std::vector<std::string>& groups,
                     const TypedName& wish);

}  // namespace sallyport
