// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/asciicast/event.h"
#include "shared/base/result.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace sallyport {

// Parses one JSON text with a limit of 32 levels (nlohmann's dump() and our own walks recurse).
Result<nlohmann::json> parse_bounded_json(std::string_view text);

// The header of any version from its object; of v1 everything but "stdout".
Result<AsciicastHeader> header_from_json(const nlohmann::json& object);

}  // namespace sallyport
