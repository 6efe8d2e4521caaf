// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/forward_destination.h"

#include "shared/base/denied_address.h"
#include "shared/base/printable.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

namespace sallyport::monitor {

namespace {

constexpr size_t kMaxHostBytes = 255;

bool is_denied(const std::string& host) {
  in_addr v4{};
  if (::inet_aton(host.c_str(), &v4) != 0) {
    return is_denied_address(v4);
  }
  in6_addr v6{};
  const std::string without_zone = host.substr(0, host.find('%'));
  return ::inet_pton(AF_INET6, without_zone.c_str(), &v6) == 1 && is_denied_address(v6);
}

}  // namespace

std::string host_and_port(const std::string& host, uint16_t port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool is_host_text(const std::string& host) {
  return host.size() <= kMaxHostBytes && std::all_of(host.begin(), host.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                  std::string_view(".-_:%*").find(c) != std::string_view::npos;
         });
}

std::optional<std::string> why_never_forwarded(const std::string& host) {
  if (host.empty() || !is_host_text(host)) {
    return "\"" + printable(host, 80) + "\" is no host";
  }
  if (is_denied(host)) {
    return host + " is an address that is never reached (link-local, multicast or metadata)";
  }
  return std::nullopt;
}

}  // namespace sallyport::monitor
