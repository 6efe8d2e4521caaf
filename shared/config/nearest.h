// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// The candidate that `name` was probably meant to be: at most a third of its letters inserted,
// left out, changed or swapped with a neighbour, whatever the case. nullopt when none is near.
std::optional<std::string> nearest_name(std::string_view name,
                                        const std::vector<std::string>& candidates);

// "; did you mean "x"?", or "".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace sallyport
