// SPDX-License-Identifier: Apache-2.0
#include "shared/config/host_key.h"

#include "shared/base/hex.h"
#include "shared/crypto/ssh_fingerprint.h"
#include "shared/ssh/wire.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

namespace {

// The last two are security keys': people have them, hosts do not.
constexpr std::array<std::string_view, 7> kTypes = {"ssh-ed25519",
                                                    "ecdsa-sha2-nistp256",
                                                    "ecdsa-sha2-nistp384",
                                                    "ecdsa-sha2-nistp521",
                                                    "ssh-rsa",
                                                    "sk-ssh-ed25519@openssh.com",
                                                    "sk-ecdsa-sha2-nistp256@openssh.com"};
constexpr size_t kHostTypes = 5;

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const auto word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

// SEC 1 section 2.3.3: 4, x and y.
bool is_point_on(std::string_view curve, std::span<const uint8_t> point) {
  const size_t bytes = curve == "nistp256"   ? 32
                       : curve == "nistp384" ? 48
                       : curve == "nistp521" ? 66
                                             : 0;
  return bytes > 0 && point.size() == 1 + 2 * bytes && point[0] == 4;
}

// RFC 4253 section 6.6, 5656, 8709 and OpenSSH's PROTOCOL.u2f: the type again, then what belongs to
// it, and nothing after it. A key that was cut would otherwise be found out only by its first use.
bool is_whole(std::span<const uint8_t> blob, std::string_view type) {
  SshReader key(blob);
  bool good = key.text() == type;
  if (type == "ssh-rsa") {
    const auto exponent = key.mpint();
    const auto modulus = key.mpint();
    good = good && !exponent.empty() && !modulus.empty();
  } else if (type.find("ed25519") != std::string_view::npos) {
    good = good && key.string().size() == 32;
  } else {
    const std::string curve(key.text());
    good = good && type.find("ecdsa-sha2-" + curve) != std::string_view::npos &&
           is_point_on(curve, key.string());
  }
  if (type.starts_with("sk-")) {
    key.string();  // the application
  }
  return good && key.complete();
}

}  // namespace

std::string PublicKeyLine::fingerprint() const {
  const auto blob = from_base64(base64);
  return ssh_fingerprint(blob ? *blob : std::vector<uint8_t>{});
}

Result<PublicKeyLine> parse_public_key_line(std::string_view line, KeyOf of) {
  const auto type = take_word(line);
  const auto base64 = take_word(line);
  if (base64.empty()) {
    return Error{Errc::invalid, "is not a public key; it looks like \"ssh-ed25519 AAAA...\""};
  }
  const auto* end = of == KeyOf::host ? kTypes.begin() + kHostTypes : kTypes.end();
  if (std::find(kTypes.begin(), end, type) == end) {
    return Error{Errc::invalid, "has the key type \"" + std::string(type) +
                                    "\", which is not known; use ssh-ed25519, ecdsa or rsa"};
  }
  const auto blob = from_base64(base64);
  if (!blob || !is_whole(*blob, type)) {
    return Error{Errc::invalid, "has a damaged key; copy it whole, as ssh-keyscan prints it"};
  }
  return PublicKeyLine{std::string(type), std::string(base64)};
}

}  // namespace sallyport
