// SPDX-License-Identifier: Apache-2.0
#include "shared/config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace sallyport {

namespace {

Error wrong(const std::string& what) {
  return Error{Errc::invalid, what + "; write host:port or [v6]:port"};
}

bool is_v6(const std::string& host) {
  in6_addr address;
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_v4(const std::string& host) {
  in_addr address;
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

// RFC 1123 names, and underscores, which inventories do use.
bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && host[0] != '-' && host[0] != '.' &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || port == 0) {
    return std::nullopt;
  }
  return port;
}

}  // namespace

std::string HostPort::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> parse_host_port(std::string_view text, uint16_t default_port) {
  HostPort out{"", default_port};
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) {
      return wrong("has no closing bracket");
    }
    out.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!is_v6(out.host)) {
      return wrong("has no IPv6 address between its brackets");
    }
  } else {
    const auto colon = text.find(':');
    out.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
    if (rest.find(':', 1) != std::string_view::npos) {
      return wrong("has several colons");
    }
    if (!is_host_name(out.host)) {
      return wrong("is not a host name or an address");
    }
  }
  if (rest.empty() && default_port != 0) {
    return out;
  }
  const auto port = rest.starts_with(':') ? parse_port(rest.substr(1)) : std::nullopt;
  if (!port) {
    return wrong("needs a port from 1 to 65535");
  }
  out.port = *port;
  return out;
}

bool is_numeric_address(const std::string& host) {
  return is_v4(host) || is_v6(host);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || (is_v4(host) && host.starts_with("127."));
}

}  // namespace sallyport
