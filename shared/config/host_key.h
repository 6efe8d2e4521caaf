// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <string>
#include <string_view>

namespace sallyport {

// One SSH public key in text: "ssh-ed25519 AAAA... comment", as in authorized_keys without options.
struct PublicKeyLine {
  std::string type;
  std::string base64;
  std::string text() const { return type + " " + base64; }
  std::string fingerprint() const;  // "SHA256:...", as ssh-keygen -l prints it
};

// The type must be one that we know (ed25519, ecdsa, rsa; for people also those of security keys),
// and the blob must be a whole key of it.
enum class KeyOf { host, person };
Result<PublicKeyLine> parse_public_key_line(std::string_view line, KeyOf of = KeyOf::host);

}  // namespace sallyport
