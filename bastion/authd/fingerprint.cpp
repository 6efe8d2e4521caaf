// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/fingerprint.h"

#include "shared/base/hex.h"
#include "shared/config/host_key.h"
#include "shared/crypto/ssh_fingerprint.h"

namespace sallyport {

namespace {
constexpr std::string_view kPrefix = "SHA256:";
}  // namespace

std::string fingerprint_of(std::string_view blob) {
  return ssh_fingerprint(as_bytes(blob));
}

std::string short_fingerprint(std::string_view fingerprint, std::string_view dots) {
  if (fingerprint.size() < kPrefix.size() + 4) {
    return std::string(fingerprint);
  }
  return std::string(fingerprint.substr(0, kPrefix.size() + 2)) + std::string(dots) +
         std::string(fingerprint.substr(fingerprint.size() - 2));
}

Result<std::string> fingerprint_of_line(std::string_view line) {
  const auto key = parse_public_key_line(line, KeyOf::person);
  if (!key || key->base64.size() > kMaxKeyBlobBytes / 3 * 4) {
    return Error{
        Errc::invalid,
        "not a whole public key: give one line as in a .pub file, \"ssh-ed25519 AAAA...\""};
  }
  return key->fingerprint();
}

}  // namespace sallyport
