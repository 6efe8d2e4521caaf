// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"
#include "shared/crypto/x25519.h"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// age's native X25519 keys (C2SP age, "The X25519 recipient type"), as `age-keygen` writes them.
struct AgeRecipient {
  X25519PublicKey key;
  std::string text() const;  // "age1..."
  bool operator==(const AgeRecipient&) const = default;
};

struct AgeIdentity {
  SecretBytes key;  // 32 bytes
  AgeRecipient recipient() const;
  SecretBytes text() const;  // "AGE-SECRET-KEY-1...", no newline
};

Result<AgeRecipient> parse_age_recipient(std::string_view text);

// One per line; empty lines and lines that begin with '#' are skipped, as with `age -R`. At least
// one. Errors name the line number and never repeat an identity.
Result<std::vector<AgeRecipient>> parse_age_recipients(std::string_view file);
Result<std::vector<AgeIdentity>> parse_age_identities(std::string_view file);

AgeIdentity age_generate_identity();

// The text of an identity file as age-keygen writes it: the public key in a comment, then the key.
SecretBytes age_identity_file(const AgeIdentity& identity);

}  // namespace sallyport
