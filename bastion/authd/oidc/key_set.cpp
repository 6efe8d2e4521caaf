// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/key_set.h"

#include "shared/base/printable.h"

#include <jansson.h>

#include <algorithm>
#include <cstdint>

namespace sallyport {
namespace {

constexpr size_t kMaxKeys = 200;
constexpr size_t kMinModulusBytes = 256;
constexpr size_t kMaxModulusBytes = 1024;

struct Curve {
  std::string_view name;
  std::string_view alg;
  size_t bytes;
};
constexpr Curve kCurves[] = {
    {"P-256", "ES256", 32}, {"P-384", "ES384", 48}, {"P-521", "ES512", 66}};

const Curve* find_curve(std::string_view name) {
  const auto* found = std::find_if(std::begin(kCurves), std::end(kCurves),
                                   [&](const Curve& curve) { return curve.name == name; });
  return found == std::end(kCurves) ? nullptr : found;
}

bool is_for_signatures(const json_t* json) {
  if (json_object_get(json, "use") != nullptr && json_text(json, "use") != "sig") {
    return false;
  }
  const json_t* operations = json_object_get(json, "key_ops");
  if (operations == nullptr) {
    return true;
  }
  for (size_t i = 0; i < json_array_size(operations); ++i) {
    const json_t* operation = json_array_get(operations, i);
    if (json_is_string(operation) && std::string_view(json_string_value(operation)) == "verify") {
      return true;
    }
  }
  return false;
}

// "65537": odd, above one, at most four bytes.
bool is_sane_exponent(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes.substr(0, 8)) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return bytes.size() <= 4 && value > 1 && value % 2 == 1;
}

bool is_sane_modulus(std::string_view bytes) {
  return bytes.size() >= kMinModulusBytes && bytes.size() <= kMaxModulusBytes &&
         (static_cast<unsigned char>(bytes[0]) & 0x80) != 0;
}

std::string rsa_jwk(const json_t* json) {
  const auto n = decode_base64url(json_text(json, "n").value_or(""));
  const auto e = decode_base64url(json_text(json, "e").value_or(""));
  if (!n || !e || !is_sane_exponent(*e)) {
    return {};
  }
  // Some encoders leave a sign byte before the modulus.
  const std::string modulus = n->starts_with('\0') ? n->substr(1) : *n;
  if (!is_sane_modulus(modulus)) {
    return {};
  }
  return R"({"kty":"RSA","n":")" + encode_base64url(modulus) + R"(","e":")" + encode_base64url(*e) +
         "\"}";
}

std::string ec_jwk(const json_t* json, const Curve& curve) {
  const auto x = decode_base64url(json_text(json, "x").value_or(""));
  const auto y = decode_base64url(json_text(json, "y").value_or(""));
  if (!x || !y || x->size() != curve.bytes || y->size() != curve.bytes) {
    return {};
  }
  return R"({"kty":"EC","crv":")" + std::string(curve.name) + R"(","x":")" + encode_base64url(*x) +
         R"(","y":")" + encode_base64url(*y) + "\"}";
}

}  // namespace

std::optional<KeySet::Key> KeySet::read_key(const json_t* json) {
  if (!json_is_object(json) || !is_for_signatures(json)) {
    return std::nullopt;
  }
  Key key;
  key.kty = json_text(json, "kty").value_or("");
  key.crv = json_text(json, "crv").value_or("");
  key.alg = json_text(json, "alg").value_or("");
  if (const auto kid = json_text(json, "kid")) {
    key.kid = std::string(*kid);
  }
  if (key.kty == "RSA") {
    key.jwk = rsa_jwk(json);
  } else if (const Curve* curve = find_curve(key.crv); key.kty == "EC" && curve != nullptr) {
    key.jwk = ec_jwk(json, *curve);
  }
  return key.jwk.empty() ? std::nullopt : std::optional(std::move(key));
}

Result<KeySet> KeySet::parse(std::string_view document) {
  auto json = parse_json_object(document, "key set");
  if (!json) {
    return json.error();
  }
  const json_t* keys = json_object_get(json->get(), "keys");
  if (!json_is_array(keys) || json_array_size(keys) > kMaxKeys) {
    return Error{Errc::protocol, "key set: \"keys\" is not an array of at most " +
                                     std::to_string(kMaxKeys) + " keys"};
  }
  KeySet set;
  for (size_t i = 0; i < json_array_size(keys); ++i) {
    if (auto key = read_key(json_array_get(keys, i))) {
      set.keys_.push_back(std::move(*key));
    }
  }
  return set;
}

bool KeySet::fits(const Key& key, const JwsHeader& header) {
  if (!key.alg.empty() && key.alg != header.alg) {
    return false;
  }
  if (header.kid && header.kid != key.kid) {
    return false;
  }
  if (header.alg.starts_with("ES")) {
    const Curve* curve = find_curve(key.crv);
    return key.kty == "EC" && curve != nullptr && curve->alg == header.alg;
  }
  return key.kty == "RSA";
}

Result<std::string> KeySet::choose(const JwsHeader& header) const {
  const Key* chosen = nullptr;
  for (const Key& key : keys_) {
    if (!fits(key, header)) {
      continue;
    }
    if (chosen != nullptr) {
      return Error{Errc::protocol, "key set: several keys fit, and the token does not say which"};
    }
    chosen = &key;
  }
  if (chosen == nullptr) {
    const std::string kid = header.kid ? " and kid \"" + printable(*header.kid, 64) + "\"" : "";
    return Error{Errc::not_found, "key set: no key for " + header.alg + kid};
  }
  return chosen->jwk;
}

}  // namespace sallyport
