// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/unique_prefix.h"

#include "shared/config/nearest.h"

#include <algorithm>

namespace sallyport {

namespace {
constexpr size_t kMinPrefix = 4;
}

Result<size_t> find_unique_prefix(const std::string& prefix, const std::vector<std::string>& names,
                                  const std::string& what, const std::string& list_command) {
  const auto exact = std::find(names.begin(), names.end(), prefix);
  if (exact != names.end()) {
    return static_cast<size_t>(exact - names.begin());
  }
  if (prefix.size() < kMinPrefix) {
    return Error{Errc::invalid, "\"" + prefix + "\" is too short for a " + what + "; give " +
                                    std::to_string(kMinPrefix) + " characters or more"};
  }
  const auto matches = [&](const std::string& name) { return name.starts_with(prefix); };
  const auto first = std::find_if(names.begin(), names.end(), matches);
  if (first == names.end()) {
    return Error{Errc::not_found, "there is no " + what + " \"" + prefix + "\"" +
                                      did_you_mean(prefix, names) + "; `" + list_command +
                                      "` shows them"};
  }
  if (std::any_of(first + 1, names.end(), matches)) {
    return Error{Errc::invalid, "several begin with \"" + prefix + "\"; give more of the name"};
  }
  return static_cast<size_t>(first - names.begin());
}

}  // namespace sallyport
