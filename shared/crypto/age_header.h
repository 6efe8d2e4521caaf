// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// The text part of an age file. Only age.cpp needs this; the grammar is strict, as the
// specification asks: canonical base64 without padding, lines of exactly 64 columns but the last.
struct AgeStanza {
  std::vector<std::string> arguments;  // the first is the type
  std::vector<uint8_t> body;
};

struct AgeHeader {
  std::vector<AgeStanza> stanzas;
  std::string_view maced;    // up to and with "---", what the MAC covers
  std::vector<uint8_t> mac;  // 32 bytes
  size_t size;               // where the payload begins
};

std::string encode_stanza(const AgeStanza& stanza);
std::string unpadded_base64(std::span<const uint8_t> bytes);
Result<AgeHeader> parse_age_header(std::string_view file);

constexpr std::string_view kAgeVersionLine = "age-encryption.org/v1\n";

}  // namespace sallyport
