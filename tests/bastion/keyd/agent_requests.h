// SPDX-License-Identifier: Apache-2.0
//
// The other side of the agent protocol, for tests: what an SSH client sends.
#pragma once

#include "bastion/keyd/agent.h"
#include "bastion/keyd/private_key.h"
#include "shared/ipc/messages.h"
#include "shared/ssh/wire.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace sallyport::test {

inline constexpr const char* kHostbound = "publickey-hostbound-v00@openssh.com";

// RFC 4252 section 7: what a client signs.
struct AuthText {
  std::vector<uint8_t> session_id = std::vector<uint8_t>(32, 0xab);
  uint8_t type = 50;
  std::string user;
  std::string service = "ssh-connection";
  std::string method = "publickey";
  uint8_t has_signature = 1;
  std::string algorithm;
  std::vector<uint8_t> blob;
  std::vector<uint8_t> tail;

  std::vector<uint8_t> bytes() const {
    auto out = SshWriter()
                   .string(session_id)
                   .byte(type)
                   .string(user)
                   .string(service)
                   .string(method)
                   .byte(has_signature)
                   .string(algorithm)
                   .string(blob)
                   .take();
    out.insert(out.end(), tail.begin(), tail.end());
    return out;
  }
};

inline std::vector<uint8_t> sign_request(std::span<const uint8_t> blob,
                                         std::span<const uint8_t> data, uint32_t flags) {
  return SshWriter().byte(13).string(blob).string(data).u32(flags).take();
}

inline std::vector<uint8_t> framed(const std::vector<uint8_t>& message) {
  return SshWriter().string(message).take();
}

struct AgentAnswer {
  bool open;  // goes on
  uint8_t type;
  std::vector<uint8_t> bytes;  // the one message, without its length

  std::vector<uint8_t> signature() const {
    SshReader reader(std::span<const uint8_t>(bytes).subspan(1));
    const auto blob = reader.string();
    return reader.complete() ? std::vector<uint8_t>(blob.begin(), blob.end())
                             : std::vector<uint8_t>{};
  }
};

// An agent for "root" with this key, and a host key that is pinned.
struct TestSigner {
  explicit TestSigner(EvpKey with = generate_key(KeyType::ed25519),
                      std::vector<uint8_t> session_id_ = std::vector<uint8_t>(32, 0xab))
      : pkey(std::move(with)),
        key(*ssh_public_key(*pkey)),
        host_key(*ssh_public_key(*generate_key(KeyType::ecdsa_p256))),
        session_id(std::move(session_id_)),
        agent(grant(), [this](auto algorithm, auto data) { return sign(algorithm, data); }) {}

  SigningGrant grant() const {
    GrantFacts facts;
    facts.purpose = Purpose::sign;
    facts.valid = true;
    facts.login = "root";
    facts.host_keys = {authorized_keys_line(key, "an unrelated one"),
                       authorized_keys_line(host_key, "web1")};
    return std::move(*signing_grant(facts, key));
  }
  Result<std::vector<uint8_t>> sign(std::string_view algorithm, std::span<const uint8_t> data) {
    if (broken) {
      return Error{Errc::corrupt, "broken"};
    }
    ++signatures;
    return ssh_sign(*pkey, algorithm, data);
  }
  AuthText text() const {
    AuthText text;
    text.session_id = session_id;
    text.user = "root";
    text.algorithm = key.algorithm;
    text.blob = key.blob;
    return text;
  }
  AgentAnswer ask(const std::vector<uint8_t>& message) {
    std::vector<uint8_t> out;
    const bool open = static_cast<bool>(agent.receive(framed(message), out));
    SshReader reader(out);
    const auto body = reader.string();
    if (!reader.complete() || body.empty()) {
      throw std::runtime_error("not exactly one answer");
    }
    return {open, body[0], {body.begin(), body.end()}};
  }

  EvpKey pkey;
  PublicKey key;
  PublicKey host_key;
  std::vector<uint8_t> session_id;
  int signatures = 0;
  bool broken = false;
  OneSignatureAgent agent;
};

}  // namespace sallyport::test
