// SPDX-License-Identifier: Apache-2.0
#include "shared/base/environment.h"

#include <cstdlib>

namespace sallyport {

std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace sallyport
