// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/fingerprint.h"

#include "shared/base/hex.h"
#include "shared/crypto/sha256.h"

namespace sallyport {

namespace {
constexpr std::string_view kPrefix = "SHA256:";

// The blob begins with its type again, as a u32 length and the text.
bool begins_with_type(std::string_view blob, std::string_view type) {
  if (blob.size() < 4 + type.size() || type.size() > 255) {
    return false;
  }
  const std::string length{'\0', '\0', '\0', static_cast<char>(type.size())};
  return blob.starts_with(length) && blob.substr(4, type.size()) == type;
}
}  // namespace

std::string fingerprint_of(std::string_view blob) {
  std::string text = to_base64(sha256(as_bytes(blob)));
  text.erase(text.find_last_not_of('=') + 1);
  return std::string(kPrefix) + text;
}

std::string short_fingerprint(std::string_view fingerprint, std::string_view dots) {
  if (fingerprint.size() < kPrefix.size() + 4) {
    return std::string(fingerprint);
  }
  return std::string(fingerprint.substr(0, kPrefix.size() + 2)) + std::string(dots) +
         std::string(fingerprint.substr(fingerprint.size() - 2));
}

Result<std::string> fingerprint_of_line(std::string_view line) {
  const Error wrong{Errc::invalid,
                    "not a public key: give one line as in a .pub file, \"ssh-ed25519 AAAA...\""};
  const size_t type_end = line.find(' ');
  if (type_end == std::string_view::npos) {
    return wrong;
  }
  const std::string_view rest = line.substr(type_end + 1);
  const auto blob = from_base64(rest.substr(0, rest.find_first_of(" \t\r\n")));
  if (!blob || blob->size() > kMaxKeyBlobBytes ||
      !begins_with_type(as_text(*blob), line.substr(0, type_end))) {
    return wrong;
  }
  return fingerprint_of(as_text(*blob));
}

}  // namespace sallyport
