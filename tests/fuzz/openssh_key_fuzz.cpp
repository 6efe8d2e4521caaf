// SPDX-License-Identifier: Apache-2.0
//
// The first byte chooses: a key file, armored here so that mutations reach the bytes inside; the
// text as it is, PEM and all; or a decrypted section. No bcrypt: it would take all the time.
#include "bastion/ctl/vault/key_file.h"
#include "bastion/ctl/vault/openssh_key.h"
#include "shared/base/hex.h"

#include <string>

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::span<const uint8_t> bytes(data + 1, size - 1);
  const AskPassphrase nobody = [] { return Error{Errc::invalid, "nobody to ask"}; };
  switch (data[0] % 3) {
    case 0: {
      const std::string text = std::string(kOpensshBegin) + "\n" + to_base64(bytes) +
                               "\n-----END OPENSSH PRIVATE KEY-----\n";
      (void)read_openssh_key(text, nobody);
      break;
    }
    case 1:
      (void)read_private_key(SecretBytes(bytes), nobody);
      break;
    default:
      (void)read_openssh_section(bytes, 8);
  }
  return 0;
}
