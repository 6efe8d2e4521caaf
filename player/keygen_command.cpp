// SPDX-License-Identifier: Apache-2.0
#include "player/commands.h"
#include "shared/base/new_file.h"
#include "shared/crypto/age_keys.h"

#include <unistd.h>

#include <cstdio>

namespace sallyport {

Status keygen(const std::string& output) {
  const AgeIdentity identity = age_generate_identity();
  const SecretBytes file = age_identity_file(identity);
  const std::string recipient = identity.recipient().text();
  if (output.empty()) {
    if (::write(STDOUT_FILENO, file.data(), file.size()) != static_cast<ssize_t>(file.size())) {
      return errno_error("cannot write the identity");
    }
    std::fprintf(stderr, "%s\n", recipient.c_str());
    return ok();
  }
  if (Status written = write_new_file(output, file.view()); !written) {
    return written;
  }
  std::printf("%s\n", recipient.c_str());
  return ok();
}

}  // namespace sallyport
