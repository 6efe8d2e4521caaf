// SPDX-License-Identifier: Apache-2.0
#include "shared/crypto/age_keys.h"

#include "shared/crypto/bech32.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace sallyport {

namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "age-secret-key-";
constexpr size_t kMaxKeys = 256;

Result<AgeIdentity> parse_identity(std::string_view text) {
  // age writes identities in capitals only and refuses others.
  if (!text.starts_with("AGE-SECRET-KEY-1")) {
    return Error{Errc::invalid, "an identity begins with AGE-SECRET-KEY-1"};
  }
  auto key = bech32_decode(kIdentityPrefix, text);
  if (!key) {
    return std::move(key).error();
  }
  if (key->size() != 32) {
    return Error{Errc::invalid, "not an X25519 identity"};
  }
  return AgeIdentity{std::move(*key)};
}

std::string_view trim(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
    line.remove_suffix(1);
  }
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
    line.remove_prefix(1);
  }
  return line;
}

template <class Key, class Parse>
Result<std::vector<Key>> parse_lines(std::string_view file, std::string_view what, Parse parse) {
  std::vector<Key> keys;
  for (size_t number = 1; !file.empty(); ++number) {
    const size_t end = std::min(file.find('\n'), file.size());
    const std::string_view line = trim(file.substr(0, end));
    file.remove_prefix(std::min(end + 1, file.size()));
    if (line.empty() || line.front() == '#') {
      continue;
    }
    auto key = parse(line);
    if (!key) {
      return Error{key.error().code, "line " + std::to_string(number) + ": " + key.error().message};
    }
    keys.push_back(std::move(*key));
    if (keys.size() > kMaxKeys) {
      return Error{Errc::limit, "more than " + std::to_string(kMaxKeys) + " keys"};
    }
  }
  if (keys.empty()) {
    return Error{Errc::invalid, "no " + std::string(what) + " found"};
  }
  return keys;
}

SecretBytes concatenate(std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (const auto part : parts) {
    size += part.size();
  }
  SecretBytes out(size);
  uint8_t* to = out.data();
  for (const auto part : parts) {
    to = std::copy(part.begin(), part.end(), to);
  }
  return out;
}

}  // namespace

std::string AgeRecipient::text() const {
  return bech32_encode(kRecipientPrefix, key);
}

AgeRecipient AgeIdentity::recipient() const {
  return AgeRecipient{x25519_public_key(key.span())};
}

SecretBytes AgeIdentity::text() const {
  std::string lower = bech32_encode(kIdentityPrefix, key.span());
  SecretBytes out{std::string_view(lower)};
  OPENSSL_cleanse(lower.data(), lower.size());
  for (uint8_t& c : out.span()) {
    c = c >= 'a' && c <= 'z' ? static_cast<uint8_t>(c - 'a' + 'A') : c;
  }
  return out;
}

Result<AgeRecipient> parse_age_recipient(std::string_view text) {
  if (!text.starts_with("age1")) {
    return Error{Errc::invalid, "a recipient begins with age1 (age-keygen -y shows it)"};
  }
  auto key = bech32_decode(kRecipientPrefix, text);
  if (!key) {
    return std::move(key).error();
  }
  AgeRecipient recipient{};
  if (key->size() != recipient.key.size()) {
    return Error{Errc::invalid, "not an X25519 recipient (plugin and hybrid keys are not known)"};
  }
  std::copy(key->span().begin(), key->span().end(), recipient.key.begin());
  return recipient;
}

Result<std::vector<AgeRecipient>> parse_age_recipients(std::string_view file) {
  return parse_lines<AgeRecipient>(file, "recipient", parse_age_recipient);
}

Result<std::vector<AgeIdentity>> parse_age_identities(std::string_view file) {
  return parse_lines<AgeIdentity>(file, "identity", parse_identity);
}

AgeIdentity age_generate_identity() {
  return AgeIdentity{x25519_generate()};
}

SecretBytes age_identity_file(const AgeIdentity& identity) {
  const SecretBytes secret = identity.text();
  return concatenate({"# public key: ", identity.recipient().text(), "\n", secret.view(), "\n"});
}

}  // namespace sallyport
