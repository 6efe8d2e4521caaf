// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct json_t;

namespace sallyport {

// jansson behind five functions. It is liboauth2's parser, so that what we check and what it
// verifies are read the same way; ours is stricter in refusing duplicate keys.
struct JsonFree {
  void operator()(json_t* value) const noexcept;
};
using Json = std::unique_ptr<json_t, JsonFree>;

// A JSON object and nothing after it. Duplicate keys (at any depth), NUL characters, invalid UTF-8
// and numbers that no double or int64 can hold are errors; `what` names the text in the message.
Result<Json> parse_json_object(std::string_view text, std::string_view what);

// The member of that name where it is a string; valid as long as the object is.
std::optional<std::string_view> json_text(const json_t* object, const char* key);
// The same where it is a number; fractions are cut off. nullopt where it is no number or outside
// of 0 .. 2^53.
std::optional<int64_t> json_count(const json_t* value);

std::string to_compact_json(const json_t* value);

}  // namespace sallyport
