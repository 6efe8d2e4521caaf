// SPDX-License-Identifier: Apache-2.0
// Both replies of the device flow, and what must hold of everything that is accepted from them.
#include "bastion/authd/oidc/device_reply.h"
#include "bastion/authd/oidc/url.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace sallyport;

void require(bool fact) {
  if (!fact) {
    std::abort();
  }
}

bool is_one_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

void check_device_reply(std::string_view body) {
  const auto reply = parse_device_reply(body, "https://idp.example.org");
  if (!reply) {
    return;
  }
  require(!reply->device_code.empty() && !reply->user_code.empty());
  require(is_one_line(reply->user_code));
  require(classify_url(reply->verification_uri) == UrlKind::https);
  require(reply->interval.count() >= 1 && reply->interval.count() <= 86400);
  require(!reply->expires_in || reply->expires_in->count() >= 1);
}

void check_token_reply(std::string_view body) {
  const TokenReply reply = parse_token_reply(200, body);
  if (const auto* tokens = std::get_if<Tokens>(&reply)) {
    require(is_one_line(tokens->access_token.view()) && !tokens->id_token.empty());
  }
  if (const auto* error = std::get_if<OauthError>(&reply)) {
    require(is_one_line(error->code) && is_one_line(error->description));
  }
  require(!std::holds_alternative<Tokens>(parse_token_reply(502, body)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check_device_reply(body);
  check_token_reply(body);
  return 0;
}
