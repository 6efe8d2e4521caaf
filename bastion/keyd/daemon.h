// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/keyd/agent_socket.h"
#include "bastion/keyd/vault.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/grant_confirmer.h"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace sallyport {

// Who asks, by SO_PEERCRED: root administers the vault, the session processes' user asks for
// signers, and keyd's own user (everything runs as one user in tests and the quick start) does
// both. Anybody else is closed.
enum class Caller : uint8_t { administrator, session, own_user };

class KeyDaemon {
public:
  static constexpr size_t kMaxConversations = 64;
  static constexpr size_t kMaxSigners = 2048;

  // session_user: the uid of kSessionUser, where that user exists.
  KeyDaemon(EventLoop& loop, UniqueFd listener, Vault vault, std::string authd_socket,
            std::optional<uid_t> session_user);
  ~KeyDaemon();
  KeyDaemon(const KeyDaemon&) = delete;
  KeyDaemon& operator=(const KeyDaemon&) = delete;

private:
  class Conversation;
  friend class Conversation;

  void accept_one();
  std::optional<Caller> caller_of(int socket) const;
  void close_conversation(uint64_t number);
  void confirm_and_sign(uint64_t conversation, const Id& grant, const Id& session);
  Result<UniqueFd> make_signer(const GrantFacts& facts);
  Result<std::vector<uint8_t>> sign(const VaultKey& key, std::string_view algorithm,
                                    std::span<const uint8_t> data) const;

  EventLoop& loop_;
  UniqueFd listener_;
  Vault vault_;
  std::optional<uid_t> session_user_;
  uint64_t next_number_ = 1;
  std::map<uint64_t, std::unique_ptr<Conversation>> conversations_;
  std::map<uint64_t, std::unique_ptr<AgentSocket>> signers_;
  GrantConfirmer authd_;
};

}  // namespace sallyport
