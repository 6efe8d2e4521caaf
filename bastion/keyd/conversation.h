// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/keyd/daemon.h"
#include "shared/ipc/dispatch.h"

#include <functional>
#include <set>
#include <vector>

namespace sallyport {

// One client of keyd's socket. What it may ask follows from who it is (the table in the source).
class KeyDaemon::Conversation {
public:
  Conversation(KeyDaemon& daemon, uint64_t number, UniqueFd socket, Caller caller);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void send_signer(const Id& session, const Result<UniqueFd>& signer);

  Status answer_ask_signer(const AskSigner& message);
  Status answer_vault_add(const VaultAdd& message);
  Status answer_vault_generate(const VaultGenerate& message);
  Status answer_vault_remove(const VaultRemove& message);
  Status answer_vault_list(const VaultList& message);
  Status answer_log_state(const LogState& message);
  Status answer_sign_checkpoint(const SignCheckpoint& message);

private:
  void on_ready(uint32_t events);
  Status read_messages();
  Status answer_added(const Result<VaultKey>& added, const char* how);
  template <class Message>
  Status send(const Message& message, std::vector<int> fds = {});
  template <class Reply>
  Status ask_log(std::function<Reply(LogSigner&)> question);
  void watch_writes();

  KeyDaemon& daemon_;
  uint64_t number_;
  Peer peer_;
  Caller caller_;
  std::set<MessageType> seen_;
};

}  // namespace sallyport
