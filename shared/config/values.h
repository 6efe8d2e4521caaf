// SPDX-License-Identifier: Apache-2.0
//
// What one value of the configuration must look like. A check may put the value into its usual
// form. An error says what is wrong and what to do; who calls says where.
#pragma once

#include "shared/base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

using ValueCheck = Status (*)(std::string& value);

Status check_not_empty(std::string& value);
Status check_name(std::string& value);            // is_valid_name
Status check_name_or_any(std::string& value);     // or "*"
Status check_name_glob(std::string& value);       // name characters, '*', '?'
Status check_place_glob(std::string& value);      // "host:port" of a forward; '*', '?'
Status check_variable_glob(std::string& value);   // of environment variables
Status check_node(std::string& value);            // a name of at most kMaxNodeBytes
Status check_listen(std::string& value);          // a numeric address and a port
Status check_target_address(std::string& value);  // becomes host:port
Status check_url(std::string& value);             // http or https, no fragment, no user
Status check_scope(std::string& value);           // RFC 6749 section 3.3
Status check_host_key(std::string& value);        // becomes "type base64"
Status check_host_pattern(std::string& value);    // one of a known_hosts line; becomes lower case
Status check_recipient(std::string& value);       // age1...
Status check_witness_key(std::string& value);     // "name+0a1b2c3d+base64"

// What to say of a value that holds a private key: instead of the value, which an error would carry
// into a log.
std::optional<std::string> advice_on_secret(std::string_view text);

inline constexpr size_t kMaxNodeBytes = 31;

struct Url {
  std::string scheme;
  std::string host;
};
Result<Url> parse_url(const std::string& text);

}  // namespace sallyport
