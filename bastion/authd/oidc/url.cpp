// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/url.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace sallyport {
namespace {

constexpr size_t kMaxUrlBytes = 2048;

bool is_url_character(char c) {
  return c > 0x20 && c < 0x7f && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
}

bool is_number_below(std::string_view text, unsigned limit) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return !text.empty() && text.size() <= 5 && stop == end && error == std::errc{} && value < limit;
}

// "127.1.2.3": four decimal parts. Short forms ("127.1") are left to be refused.
bool is_ipv4_loopback(std::string_view host) {
  if (!host.starts_with("127.") || std::count(host.begin(), host.end(), '.') != 3) {
    return false;
  }
  for (size_t begin = 0; begin <= host.size();) {
    const size_t end = std::min(host.find('.', begin), host.size());
    if (!is_number_below(host.substr(begin, end - begin), 256)) {
      return false;
    }
    begin = end + 1;
  }
  return true;
}

struct Authority {
  std::string_view host;
  bool valid;
};

Authority split_authority(std::string_view authority) {
  if (authority.find('@') != std::string_view::npos) {
    return {{}, false};
  }
  const size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) {
    return {{}, false};
  }
  const size_t colon = authority.find(':', bracket);
  const std::string_view host = authority.substr(0, colon);
  const bool port_is_valid =
      colon == std::string_view::npos || is_number_below(authority.substr(colon + 1), 65536);
  return {host, !host.empty() && port_is_valid};
}

}  // namespace

UrlKind classify_url(std::string_view url) {
  if (url.size() > kMaxUrlBytes || !std::all_of(url.begin(), url.end(), is_url_character)) {
    return UrlKind::refused;
  }
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) {
    return UrlKind::refused;
  }
  const std::string_view rest = url.substr(https ? 8 : 7);
  const auto [host, valid] = split_authority(rest.substr(0, rest.find_first_of("/?")));
  if (!valid) {
    return UrlKind::refused;
  }
  if (https) {
    return UrlKind::https;
  }
  const bool loopback = host == "localhost" || host == "[::1]" || is_ipv4_loopback(host);
  return loopback ? UrlKind::http_loopback : UrlKind::refused;
}

bool is_url_allowed(std::string_view url, std::string_view issuer) {
  const UrlKind kind = classify_url(url);
  return kind == UrlKind::https || (kind == UrlKind::http_loopback && classify_url(issuer) == kind);
}

}  // namespace sallyport
