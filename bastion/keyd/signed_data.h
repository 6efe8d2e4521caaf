// SPDX-License-Identifier: Apache-2.0
//
// keyd signs one kind of text: that of publickey authentication (RFC 4252 section 7), read by its
// exact length and compared with the grant, so that a back that was taken over cannot have anything
// else signed.
//
// What cannot be enforced with the stock libssh 0.10: the session identifier at the front of the
// text is a hash that only the two ends of the connection can compute. libssh does not send
// session-bind@openssh.com (the server's signature over that hash), and its public API gives back
// neither hash nor signature to send it ourselves. So a back that was taken over may use its one
// signature on another connection, to any server on which this key opens this login and that gate
// dialled for it: it has no other socket. "This key exchange" is enforced as: one signature, hence
// one session identifier, this login, this key, this grant; and this target's host key where the
// client signs publickey-hostbound-v00@openssh.com (OpenSSH does, libssh does not).
#pragma once

#include "bastion/keyd/public_key.h"
#include "shared/base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

struct GrantFacts;

// What one grant allows to be signed.
struct SigningGrant {
  std::string login;
  PublicKey key;
  std::vector<std::vector<uint8_t>> host_keys;  // blobs: the target's pinned ones
};

// Errc::denied, with the text for the log, when authd's answer is no or does not fit together.
Result<SigningGrant> signing_grant(const GrantFacts& facts, const PublicKey& key);

// The flags of SSH_AGENTC_SIGN_REQUEST (draft-ietf-sshm-ssh-agent section 3.6.1).
inline constexpr uint32_t kFlagRsaSha256 = 2;
inline constexpr uint32_t kFlagRsaSha512 = 4;

// The algorithm to sign `data` with, or why it is not signed.
Result<std::string> check_signed_data(const SigningGrant& grant, std::span<const uint8_t> data,
                                      uint32_t flags);

}  // namespace sallyport
