// SPDX-License-Identifier: Apache-2.0
//
// Keys and host certificates by the stock ssh-keygen.
#pragma once

#include "bastion/ctl/host_keys/host_certificate.h"
#include "shared/base/hex.h"
#include "tests/support/keygen.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::test {

inline PublicKeyLine public_line(const std::string& file) {
  return *parse_public_key_line(read_text(file + ".pub"));
}

// The blob of FILE-cert.pub, after `ssh-keygen -s CA OPTIONS FILE.pub`.
inline std::vector<uint8_t> certify(const std::string& ca, const std::string& file,
                                    const std::string& options = "-h -I id -n web1 -V -5m:+5m") {
  run("ssh-keygen -q -s " + ca + " " + options + " " + file + ".pub");
  const std::string text = read_text(file + "-cert.pub");
  const auto begin = text.find(' ') + 1;
  return *from_base64(text.substr(begin, text.find_first_of(" \n", begin) - begin));
}

}  // namespace sallyport::test
