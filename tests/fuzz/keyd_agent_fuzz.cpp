// SPDX-License-Identifier: Apache-2.0
//
// What a back that was taken over can send to its signer. The first byte chooses the key; the
// corpus knows the fixed keys' texts, so that mutations of a good sign request are tried as well.
// Whatever comes, at most one signature leaves, and only for a text that names this login and key.
#include "bastion/keyd/agent.h"
#include "bastion/keyd/private_key.h"
#include "shared/base/hex.h"
#include "shared/ssh/wire.h"

#include <cstdlib>
#include <string_view>

using namespace sallyport;

namespace {

// No real keys: only their blobs are compared, and the "signature" is a constant.
PublicKey key_of(const char* algorithm) {
  return {algorithm, SshWriter().string(algorithm).string("a key").take()};
}

const SigningGrant kGrants[] = {
    {"root", key_of("ssh-ed25519"), {key_of("ssh-ed25519").blob}},
    {"root", key_of("ssh-rsa"), {key_of("ssh-rsa").blob}},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const SigningGrant& grant = kGrants[data[0] % 2];
  int signatures = 0;
  OneSignatureAgent agent(grant, [&](std::string_view algorithm, std::span<const uint8_t> text) {
    const bool names_login = as_text(text).find(grant.login) != std::string_view::npos;
    const bool names_key = as_text(text).find(as_text(grant.key.blob)) != std::string_view::npos;
    if (++signatures > 1 || !names_login || !names_key || !may_sign_as(grant.key, algorithm)) {
      std::abort();
    }
    return Result<std::vector<uint8_t>>(std::vector<uint8_t>(64, 1));
  });
  // In two pieces, so that messages end in the middle of a read.
  const std::span<const uint8_t> bytes(data + 1, size - 1);
  std::vector<uint8_t> out;
  if (agent.receive(bytes.first(bytes.size() / 2), out)) {
    (void)agent.receive(bytes.subspan(bytes.size() / 2), out);
  }
  if (out.size() > 64 * 1024) {
    std::abort();
  }
  return 0;
}
