// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/host_patterns.h"

#include "shared/base/hex.h"
#include "shared/base/names.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace sallyport {

namespace {

constexpr std::string_view kHashed = "|1|";
constexpr size_t kSha1Bytes = 20;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool hash_matches(std::string_view field, const std::string& host) {
  field.remove_prefix(kHashed.size());
  const auto bar = field.find('|');
  if (bar == std::string_view::npos) {
    return false;
  }
  const auto salt = from_base64(field.substr(0, bar));
  const auto hash = from_base64(field.substr(bar + 1));
  if (!salt || !hash || salt->size() != kSha1Bytes || hash->size() != kSha1Bytes) {
    return false;
  }
  std::array<uint8_t, kSha1Bytes> made{};
  unsigned size = 0;
  const auto name = as_bytes(host);
  return HMAC(EVP_sha1(), salt->data(), static_cast<int>(salt->size()), name.data(), name.size(),
              made.data(), &size) != nullptr &&
         std::equal(made.begin(), made.end(), hash->begin());
}

}  // namespace

bool host_matches(std::span<const std::string> patterns, std::string_view host) {
  const std::string name = lower(host);
  bool positive = false;
  for (const std::string& pattern : patterns) {
    const bool negated = pattern.starts_with('!');
    if (glob_matches(lower(pattern).substr(negated ? 1 : 0), name)) {
      if (negated) {
        return false;
      }
      positive = true;
    }
  }
  return positive;
}

bool host_field_matches(std::string_view field, std::string_view host) {
  if (field.starts_with('|')) {
    return field.starts_with(kHashed) && hash_matches(field, lower(host));
  }
  return host_matches(split_patterns(field), host);
}

std::vector<std::string> split_patterns(std::string_view field) {
  std::vector<std::string> out;
  while (!field.empty()) {
    const auto comma = std::min(field.find(','), field.size());
    if (comma > 0) {
      out.emplace_back(field.substr(0, comma));
    }
    field.remove_prefix(std::min(comma + 1, field.size()));
  }
  return out;
}

std::string known_hosts_name(const HostPort& address) {
  return address.port == kSshPort ? address.host
                                  : "[" + address.host + "]:" + std::to_string(address.port);
}

}  // namespace sallyport
