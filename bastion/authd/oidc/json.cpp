// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/json.h"

#include "shared/base/handle.h"
#include "shared/base/printable.h"

#include <jansson.h>

#include <cstdlib>

namespace sallyport {

void JsonFree::operator()(json_t* value) const noexcept {
  json_decref(value);
}

Result<Json> parse_json_object(std::string_view text, std::string_view what) {
  json_error_t error;
  Json json(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error));
  if (!json) {
    // jansson quotes the text near the error, which may be a token: only its place is told.
    return Error{Errc::protocol, std::string(what) + " is not JSON (line " +
                                     std::to_string(error.line) + ", byte " +
                                     std::to_string(error.position) + ")"};
  }
  if (!json_is_object(json.get())) {
    return Error{Errc::protocol, std::string(what) + " is not a JSON object"};
  }
  return json;
}

std::optional<std::string_view> json_text(const json_t* object, const char* key) {
  const json_t* value = json_object_get(object, key);
  if (!json_is_string(value)) {
    return std::nullopt;
  }
  return std::string_view(json_string_value(value), json_string_length(value));
}

std::optional<int64_t> json_count(const json_t* value) {
  constexpr double kLimit = 9007199254740992.0;  // 2^53: beyond it a double skips whole numbers
  if (!json_is_number(value)) {
    return std::nullopt;
  }
  const double number = json_number_value(value);
  if (!(number >= 0 && number <= kLimit)) {
    return std::nullopt;
  }
  return static_cast<int64_t>(number);
}

std::string to_compact_json(const json_t* value) {
  const Handle<char, std::free> text(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
  return text ? text.get() : "";
}

}  // namespace sallyport
