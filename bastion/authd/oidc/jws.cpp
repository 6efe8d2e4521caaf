// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/jws.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"

#include <jansson.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace sallyport {
namespace {

Error refused(std::string why) {
  return {Errc::protocol, "token: " + std::move(why)};
}

bool is_jwt_type(std::string_view typ) {
  constexpr std::string_view kJwt = "JWT";
  return std::equal(typ.begin(), typ.end(), kJwt.begin(), kJwt.end(), [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == b;
  });
}

// Present members that are not strings count as wrong, not as absent.
Status check_header_types(const json_t* header) {
  for (const char* name : {"alg", "kid", "typ"}) {
    const json_t* value = json_object_get(header, name);
    if (value != nullptr && !json_is_string(value)) {
      return refused(std::string(name) + " is not a string");
    }
  }
  return ok();
}

Result<JwsHeader> read_header(const json_t* header) {
  if (Status types = check_header_types(header); !types) {
    return types.error();
  }
  const std::string alg(json_text(header, "alg").value_or(""));
  if (!is_allowed_algorithm(alg)) {
    return refused("alg \"" + printable(alg, 20) + "\" is not allowed");
  }
  if (json_object_get(header, "crit") != nullptr) {
    return refused("crit asks for an extension that we do not know");
  }
  if (json_object_get(header, "jwk") != nullptr) {
    return refused("it brings its own key (jwk)");
  }
  if (const auto typ = json_text(header, "typ"); typ && !is_jwt_type(*typ)) {
    return refused("typ \"" + printable(*typ, 20) + "\" is not JWT");
  }
  JwsHeader out{alg, std::nullopt};
  if (const auto kid = json_text(header, "kid")) {
    out.kid = std::string(*kid);
  }
  return out;
}

Result<Json> decode_part(std::string_view part, const char* what) {
  const auto text = decode_base64url(part);
  if (!text) {
    return refused(std::string(what) + " is not base64url");
  }
  return parse_json_object(*text, std::string("token: ") + what);
}

}  // namespace

bool is_allowed_algorithm(std::string_view alg) {
  constexpr std::array<std::string_view, 9> kAllowed = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                                        "PS512", "ES256", "ES384", "ES512"};
  return std::find(kAllowed.begin(), kAllowed.end(), alg) != kAllowed.end();
}

Result<DecodedToken> decode_token(std::string_view token) {
  if (token.size() > kMaxTokenBytes) {
    return refused("longer than " + std::to_string(kMaxTokenBytes) + " bytes");
  }
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return refused("not three parts");
  }
  auto header_json = decode_part(token.substr(0, first), "header");
  if (!header_json) {
    return header_json.error();
  }
  auto header = read_header(header_json->get());
  if (!header) {
    return header.error();
  }
  auto payload = decode_part(token.substr(first + 1, second - first - 1), "payload");
  if (!payload) {
    return payload.error();
  }
  if (const auto bytes = decode_base64url(token.substr(second + 1)); !bytes || bytes->empty()) {
    return refused("signature is not base64url");
  }
  return DecodedToken{std::move(*header), std::move(*payload)};
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string standard(text);
  for (char& c : standard) {
    if (c == '+' || c == '/' || c == '=') {
      return std::nullopt;
    }
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  standard.append((4 - standard.size() % 4) % 4, '=');
  const auto bytes = from_base64(standard);
  if (!bytes) {
    return std::nullopt;
  }
  return std::string(bytes->begin(), bytes->end());
}

std::string encode_base64url(std::string_view bytes) {
  std::string text = to_base64(as_bytes(bytes));
  text.resize(std::min(text.find('='), text.size()));
  for (char& c : text) {
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return text;
}

}  // namespace sallyport
