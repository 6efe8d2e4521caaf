// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/algorithms.h"

namespace sallyport {

std::string host_key_algorithms(const std::string& key_type) {
  if (key_type == "ssh-rsa") {
    return "rsa-sha2-512,rsa-sha2-256";
  }
  for (const char* known :
       {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"}) {
    if (key_type == known) {
      return key_type;
    }
  }
  return "";
}

}  // namespace sallyport
