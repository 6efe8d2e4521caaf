// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <string>

namespace sallyport {

// A file that exists is that file. Otherwise at least 6 hexadecimal digits are the beginning of a
// session's id, with "-CHANNEL" one channel of it, among the recordings in that folder. Where
// several fit, the error lists them and says what to type.
Result<std::string> locate_recording(const std::string& name, const std::string& folder);

}  // namespace sallyport
