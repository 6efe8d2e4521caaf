// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sallyport {

// R19. No finite-field Diffie-Hellman (its values go unchecked in libssh 0.10, and group 18 burns
// CPU), AEAD ciphers only, no compression. Strict key exchange comes with libssh >= 0.10.6.
inline constexpr const char* kKeyExchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256";
inline constexpr const char* kCiphers = "aes256-gcm@openssh.com,aes128-gcm@openssh.com";
// For clients that have no AES-GCM (dropbear, paramiko 2, libssh2 1.10). Not offered to OpenSSH's:
// it would take CTR before GCM, at half the speed, and the client's order decides. No chacha20 and
// no CBC: without strict key exchange both fall to Terrapin (CVE-2023-48795).
inline constexpr const char* kOtherClientsCiphers =
    "aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr";
inline constexpr const char* kOtherClientsMacs =
    "hmac-sha2-256,hmac-sha2-512,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com";
// AEAD ciphers bring their own; the lists must not be empty all the same.
inline constexpr const char* kMacs = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com";
inline constexpr const char* kNoCompression = "none";
// What a client may prove itself with: no DSA, no SHA-1 (Debian's libssh would take ssh-dss).
inline constexpr const char* kClientKeyTypes =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
    "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256";

// The host key algorithms to offer for pinned keys of these types: "ssh-rsa" becomes the SHA-2
// signatures of RFC 8332; an unknown type becomes nothing.
std::string host_key_algorithms(const std::string& key_type);

}  // namespace sallyport
