// SPDX-License-Identifier: Apache-2.0
#include "shared/base/result.h"

#include <cerrno>
#include <system_error>

namespace sallyport {

Error errno_error(const std::string& doing) {
  const int saved = errno;
  return {Errc::io, doing + ": " + std::generic_category().message(saved)};
}

}  // namespace sallyport
