// SPDX-License-Identifier: Apache-2.0
//
// What a client of `ssh -J bastion root@web1` sees as the host key of web1: the bastion answers the
// inner SSH itself, with an Ed25519 key for each target that stays the same. It is derived (HKDF,
// RFC 5869) from one secret, so nothing has to be stored when a target is added.
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"
#include "shared/ssh/pkcs8.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sallyport {

// secret: the 32 bytes of jump.key_file.
Result<EvpKey> jump_host_key(std::span<const uint8_t> secret, std::string_view target);

// "ssh-ed25519 AAAA...", as known_hosts has it.
Result<std::string> jump_public_key(std::span<const uint8_t> secret, std::string_view target);

// An Ed25519 key in OpenSSH's own format (openssh-portable/PROTOCOL.key), unencrypted, with a NUL
// behind it: of a PKCS#8 file libssh 0.10 forgets the public half.
Result<SecretBytes> to_openssh(const EVP_PKEY& key);

}  // namespace sallyport
