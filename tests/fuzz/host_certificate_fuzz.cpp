// SPDX-License-Identifier: Apache-2.0
//
// A certificate, whose own CA stands in for ours so that mutations reach the signature; and a key,
// a signature and data, one after the other.
#include "bastion/ctl/host_keys/host_certificate.h"
#include "shared/base/hex.h"
#include "shared/ssh/ssh_signature.h"
#include "shared/ssh/wire.h"

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  if (const auto made = parse_host_certificate(bytes)) {
    const std::vector<std::string> names = {"web1"};
    const PublicKeyLine ca{"", to_base64(made->ca)};
    (void)check_host_certificate(*made, ca, names, made->valid_after);
    (void)made->key.fingerprint();
  }
  SshReader parts(bytes);
  const auto key = parts.string();
  const auto signature = parts.string();
  (void)check_ssh_signature(key, parts.rest(), signature);
  return 0;
}
