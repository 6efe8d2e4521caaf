// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace sallyport {

// For a process that has just begun: these descriptors become 3, 4, ... in this order, and all
// others above standard error are closed. _exit(127) where that cannot be.
void place_descriptors(const std::vector<int>& descriptors);

}  // namespace sallyport
