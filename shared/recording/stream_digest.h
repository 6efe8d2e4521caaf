// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/recording/reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// The event "d" (docs/formats/brec.md): of a stream of which not all was recorded.
struct StreamDigest {
  ByteDirection stream = ByteDirection::output;
  uint64_t bytes = 0;  // that had flowed
  std::string sha256;  // of all these, hex
  uint64_t next = 0;   // where the next byte of the stream stood that is recorded
};

std::string digest_json(const StreamDigest& digest);
std::optional<StreamDigest> parse_digest(std::string_view json);  // nothing: it is none

}  // namespace sallyport
