// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sallyport {

// "" where it is not set.
std::string environment_variable(const char* name);

}  // namespace sallyport
