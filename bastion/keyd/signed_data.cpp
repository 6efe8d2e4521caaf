// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/signed_data.h"

#include "bastion/keyd/private_key.h"
#include "shared/base/names.h"
#include "shared/ipc/messages.h"
#include "shared/ssh/wire.h"

#include <algorithm>

namespace sallyport {

namespace {

constexpr uint8_t kUserauthRequest = 50;
constexpr size_t kMinSessionIdBytes = 20;  // SHA-1
constexpr size_t kMaxSessionIdBytes = 64;  // SHA-512
constexpr std::string_view kPlain = "publickey";
constexpr std::string_view kHostbound = "publickey-hostbound-v00@openssh.com";

Error refused(std::string text) {
  return Error{Errc::denied, std::move(text)};
}

// RFC 8332: the flags choose the hash, the text names it; both must say the same.
bool flags_fit(std::string_view algorithm, uint32_t flags) {
  if (algorithm == "rsa-sha2-256") {
    return flags == kFlagRsaSha256;
  }
  return flags == (algorithm == "rsa-sha2-512" ? kFlagRsaSha512 : 0);
}

}  // namespace

Result<SigningGrant> signing_grant(const GrantFacts& facts, const PublicKey& key) {
  if (!facts.valid || facts.purpose != Purpose::sign) {
    return refused(facts.text.empty() ? "the grant does not allow a signature" : facts.text);
  }
  if (!is_valid_name(facts.login)) {
    return refused("the grant has no login");
  }
  SigningGrant grant{facts.login, key, {}};
  for (const std::string& line : facts.host_keys) {
    auto host_key = public_key_from_line(line);
    if (!host_key) {
      return refused("the grant has a host key that cannot be read");
    }
    grant.host_keys.push_back(std::move(host_key->blob));
  }
  if (grant.host_keys.empty()) {
    return refused("the grant has no host key");
  }
  return grant;
}

Result<std::string> check_signed_data(const SigningGrant& grant, std::span<const uint8_t> data,
                                      uint32_t flags) {
  SshReader reader(data);
  const size_t session_id_bytes = reader.string().size();
  const uint8_t type = reader.byte();
  const std::string_view user = reader.text();
  const std::string_view service = reader.text();
  const std::string_view method = reader.text();
  const uint8_t has_signature = reader.byte();
  const std::string_view algorithm = reader.text();
  const auto blob = reader.string();
  const bool hostbound = method == kHostbound;
  const auto host_key = hostbound ? reader.string() : std::span<const uint8_t>{};
  if (!reader.complete() || session_id_bytes < kMinSessionIdBytes ||
      session_id_bytes > kMaxSessionIdBytes || type != kUserauthRequest ||
      service != "ssh-connection" || (method != kPlain && !hostbound) || has_signature != 1) {
    return refused("not the text of a publickey authentication");
  }
  if (user != grant.login) {
    return refused("another login than the grant's");
  }
  if (!std::ranges::equal(blob, grant.key.blob)) {
    return refused("another key than the grant's");
  }
  if (!may_sign_as(grant.key, algorithm) || !flags_fit(algorithm, flags)) {
    return refused("an algorithm that does not fit key and flags");
  }
  const auto is_that = [&](const auto& pinned) { return std::ranges::equal(pinned, host_key); };
  if (hostbound && !std::ranges::any_of(grant.host_keys, is_that)) {
    return refused("bound to a host key that is not pinned for the target");
  }
  return std::string(algorithm);
}

}  // namespace sallyport
