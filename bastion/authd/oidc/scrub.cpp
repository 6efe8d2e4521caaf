// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/scrub.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace sallyport {
namespace {

constexpr size_t kTokenLength = 24;
constexpr std::string_view kRedacted = "<redacted>";
constexpr std::array<std::string_view, 14> kSecretNames = {
    "client_secret", "client_assertion", "device_code", "user_code",     "access_token",
    "refresh_token", "id_token",         "token",       "code_verifier", "password",
    "Authorization", "Bearer",           "Basic",       "secret"};

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '+';
}

bool ends_value(char c) {
  return c == '&' || c == ' ' || c == '"' || c == ']' || c == ',';
}

// The length of what stands between a name and its value (=, :, quotes, a space); 0 for none.
size_t separator_length(std::string_view text) {
  const size_t end = std::min(text.find_first_not_of("=: \"'"), text.size());
  return end <= 4 ? end : 0;
}

std::string_view secret_name_at(std::string_view text) {
  for (const std::string_view name : kSecretNames) {
    if (text.starts_with(name) && separator_length(text.substr(name.size())) > 0) {
      return name;
    }
  }
  return {};
}

// One run of token characters, appended as it is or redacted together with the parts that dots join
// to it (the short tail of a cut token); returns its length.
size_t append_run(std::string& out, std::string_view text) {
  auto end = std::find_if_not(text.begin(), text.end(), is_token_character);
  const auto length = static_cast<size_t>(end - text.begin());
  if (length < kTokenLength) {
    out += text.substr(0, length);
    return length;
  }
  out += kRedacted;
  end = std::find_if_not(end, text.end(), [](char c) { return c == '.' || is_token_character(c); });
  return static_cast<size_t>(end - text.begin());
}

}  // namespace

std::string scrub_secrets(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (const std::string_view name = secret_name_at(text); !name.empty()) {
      const size_t head = name.size() + separator_length(text.substr(name.size()));
      out.append(text.substr(0, head));
      text.remove_prefix(head);
      if (secret_name_at(text).empty()) {  // "Authorization: Bearer x": the value comes later
        const auto end = std::find_if(text.begin(), text.end(), ends_value);
        out += kRedacted;
        text.remove_prefix(static_cast<size_t>(end - text.begin()));
      }
    } else if (const size_t length = append_run(out, text); length > 0) {
      text.remove_prefix(length);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace sallyport
