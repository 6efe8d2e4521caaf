// SPDX-License-Identifier: Apache-2.0
//
// What `ssh-keygen -Y sign` writes beside a file (OpenSSH's PROTOCOL.sshsig): base64 between a
// BEGIN and an END line, of
//
//   "SSHSIG", u32 1, string key, string namespace, string reserved, string hash, string signature
#pragma once

#include "shared/base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

inline constexpr size_t kMaxSshSigBase64 = 16 * 1024;

struct SshSig {
  std::vector<uint8_t> key;  // the blob, as in the second field of a .pub file
  std::string signature_namespace;
  std::string hash;  // "sha256" or "sha512"
  std::vector<uint8_t> signature;
};

// The END line may lack its newline; nothing stands behind it. Errc::corrupt: not such a signature.
// Errc::invalid: one by a security key or a certificate, which are not taken.
Result<SshSig> parse_sshsig(std::string_view armour);

// Errc::denied: it is not over this message, for this namespace. Errc::invalid: of a kind that
// check_ssh_signature() does not know.
Status check_sshsig(const SshSig& sshsig, std::string_view message,
                    std::string_view signature_namespace);

}  // namespace sallyport
