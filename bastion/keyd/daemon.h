// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/keyd/agent_socket.h"
#include "bastion/keyd/log_thread.h"
#include "bastion/keyd/vault.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/grant_confirmer.h"
#include "shared/ipc/peer_listener.h"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace sallyport {

// Who asks, by SO_PEERCRED: root administers the vault, the session processes' user asks for
// signers, stored's user has the node log's checkpoints signed, and keyd's own user (everything
// runs as one user in tests and the quick start) does all of that. Anybody else is closed.
enum class Caller : uint8_t { administrator, session, stored, own_user };

class KeyDaemon {
public:
  static constexpr size_t kMaxConversations = 64;
  static constexpr size_t kMaxSigners = 2048;

  // The uids of kSessionUser and kStoredUser, where those users exist.
  struct Users {
    std::optional<uid_t> session;
    std::optional<uid_t> stored;
  };
  KeyDaemon(EventLoop& loop, UniqueFd listener, Vault vault, LogSigner log,
            std::string authd_socket, Users users);
  ~KeyDaemon();
  KeyDaemon(const KeyDaemon&) = delete;
  KeyDaemon& operator=(const KeyDaemon&) = delete;

private:
  class Conversation;
  friend class Conversation;

  void admit(UniqueFd socket, uid_t user);
  std::optional<Caller> caller_of(uid_t user) const;
  void close_conversation(uint64_t number);
  void confirm_and_sign(uint64_t conversation, const Id& grant, const Id& session);
  Result<UniqueFd> make_signer(const GrantFacts& facts);
  Result<std::vector<uint8_t>> sign(const VaultKey& key, std::string_view algorithm,
                                    std::span<const uint8_t> data) const;

  EventLoop& loop_;
  Vault vault_;
  Users users_;
  uint64_t next_number_ = 1;
  std::map<uint64_t, std::unique_ptr<Conversation>> conversations_;
  std::map<uint64_t, std::unique_ptr<AgentSocket>> signers_;
  GrantConfirmer authd_;
  LogThread log_;  // ends before the above: what it has done it tells to them
  PeerListener listener_;
};

}  // namespace sallyport
