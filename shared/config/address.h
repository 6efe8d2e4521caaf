// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

inline constexpr uint16_t kSshPort = 22;

struct HostPort {
  std::string host;  // a name or a numeric address, without brackets
  uint16_t port = 0;
  std::string text() const;  // "host:port", "[v6]:port"
};

// "host", "host:port", "[v6]", "[v6]:port". The port is default_port where missing, which is an
// error where that is 0. Does not resolve anything.
Result<HostPort> parse_host_port(std::string_view text, uint16_t default_port);

bool is_numeric_address(const std::string& host);
bool is_loopback(const std::string& host);  // "localhost", 127.0.0.0/8, ::1

}  // namespace sallyport
