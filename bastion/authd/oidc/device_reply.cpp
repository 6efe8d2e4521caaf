// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/device_reply.h"

#include "bastion/authd/oidc/json.h"
#include "bastion/authd/oidc/url.h"
#include "shared/base/printable.h"

#include <jansson.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace sallyport {
namespace {

using std::chrono::seconds;

constexpr size_t kMaxDeviceCodeBytes = 8192;
constexpr size_t kMaxUserCodeBytes = 64;
constexpr size_t kMaxShownUrlBytes = 512;
constexpr size_t kMaxTokenBytes = 64 * 1024;
constexpr seconds kMaxSeconds{24 * 3600};

Error bad_reply(const char* why) {
  return {Errc::protocol, std::string("reply of the device endpoint: ") + why};
}

// 1 .. one day, as a number or as its digits; anything else is nothing.
std::optional<seconds> read_seconds(const json_t* object, const char* name) {
  int64_t count = json_count(json_object_get(object, name)).value_or(0);
  if (const auto text = json_text(object, name)) {
    const char* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, count);
    count = error == std::errc{} && stop == end ? count : 0;
  }
  if (count < 1) {
    return std::nullopt;
  }
  return std::min(seconds(count), kMaxSeconds);
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_user_code(std::string_view code) {
  return !code.empty() && code.size() <= kMaxUserCodeBytes &&
         std::all_of(code.begin(), code.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_bearer_or_unsaid(const json_t* object) {
  const auto type = json_text(object, "token_type");
  constexpr std::string_view kBearer = "bearer";
  return !type ||
         std::equal(type->begin(), type->end(), kBearer.begin(), kBearer.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

// What may stand in a header line: RFC 6750's b64token has no spaces and no controls.
std::optional<SecretBytes> read_token(const json_t* object, const char* name) {
  const auto token = json_text(object, name);
  if (!token || token->empty() || token->size() > kMaxTokenBytes || !is_visible_ascii(*token)) {
    return std::nullopt;
  }
  return SecretBytes(*token);
}

}  // namespace

Result<DeviceReply> parse_device_reply(std::string_view body, std::string_view issuer) {
  auto json = parse_json_object(body, "reply of the device endpoint");
  if (!json) {
    return json.error();
  }
  const json_t* object = json->get();
  const std::string_view device_code = json_text(object, "device_code").value_or("");
  if (device_code.empty() || device_code.size() > kMaxDeviceCodeBytes) {
    return bad_reply("no device_code");
  }
  DeviceReply reply;
  reply.device_code = SecretBytes(device_code);
  reply.user_code = json_text(object, "user_code").value_or("");
  if (!is_user_code(reply.user_code)) {
    return bad_reply("no user_code that can be shown");
  }
  const auto uri = json_text(object, "verification_uri");
  reply.verification_uri = uri ? *uri : json_text(object, "verification_url").value_or("");
  if (reply.verification_uri.size() > kMaxShownUrlBytes ||
      !is_url_allowed(reply.verification_uri, issuer)) {
    return bad_reply("verification_uri is not an https URL that can be shown");
  }
  reply.verification_uri_complete = json_text(object, "verification_uri_complete").value_or("");
  if (reply.verification_uri_complete.size() > kMaxShownUrlBytes ||
      !is_url_allowed(reply.verification_uri_complete, issuer)) {
    reply.verification_uri_complete.clear();  // a convenience: the login works without it
  }
  reply.expires_in = read_seconds(object, "expires_in");
  reply.interval = read_seconds(object, "interval").value_or(reply.interval);
  return reply;
}

TokenReply parse_token_reply(long status, std::string_view body) {
  const auto json = parse_json_object(body, "reply of the token endpoint");
  if (!json) {
    return UnknownReply{};
  }
  const json_t* object = json->get();
  if (const auto code = json_text(object, "error"); code && !code->empty()) {
    const std::string_view description = json_text(object, "error_description").value_or("");
    return OauthError{printable(*code, 64), printable(description, 200)};
  }
  if (status != 200 || json_object_get(object, "access_token") == nullptr) {
    return UnknownReply{};
  }
  auto access_token = read_token(object, "access_token");
  auto id_token = read_token(object, "id_token");
  if (!access_token || !is_bearer_or_unsaid(object)) {
    return OauthError{"bad_reply", "the access token is not a bearer token"};
  }
  if (!id_token) {
    return OauthError{"bad_reply", "no ID token came (is the client allowed the scope openid?)"};
  }
  return Tokens{std::move(*id_token), std::move(*access_token)};
}

}  // namespace sallyport
