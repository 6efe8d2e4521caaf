// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/daemon.h"

#include "bastion/keyd/conversation.h"
#include "bastion/keyd/private_key.h"
#include "shared/base/log.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sallyport {

KeyDaemon::KeyDaemon(EventLoop& loop, UniqueFd listener, Vault vault, LogSigner log,
                     std::string authd_socket, Users users)
    : loop_(loop),
      vault_(std::move(vault)),
      users_(users),
      authd_(loop, std::move(authd_socket), Purpose::sign),
      log_(loop, std::move(log)),
      listener_(loop, std::move(listener),
                [this](UniqueFd socket, uid_t user) { admit(std::move(socket), user); }) {}

KeyDaemon::~KeyDaemon() = default;

void KeyDaemon::admit(UniqueFd socket, uid_t user) {
  const auto caller = caller_of(user);
  if (!caller || conversations_.size() >= kMaxConversations) {
    return log_warning("client_refused", {{"uid", std::to_string(user)},
                                          {"why", caller ? "too many clients" : "a stranger"}});
  }
  const uint64_t number = next_number_++;
  conversations_.emplace(number,
                         std::make_unique<Conversation>(*this, number, std::move(socket), *caller));
}

std::optional<Caller> KeyDaemon::caller_of(uid_t user) const {
  if (user == ::geteuid()) {
    return Caller::own_user;
  }
  if (user == 0) {
    return Caller::administrator;
  }
  if (users_.session == user) {
    return Caller::session;
  }
  return users_.stored == user ? std::optional(Caller::stored) : std::nullopt;
}

void KeyDaemon::close_conversation(uint64_t number) {
  conversations_.erase(number);
}

void KeyDaemon::confirm_and_sign(uint64_t conversation, const Id& grant, const Id& session) {
  authd_.confirm(grant, session, [this, conversation, session](const Result<GrantFacts>& facts) {
    const auto signer = facts ? make_signer(*facts) : Result<UniqueFd>(facts.error());
    if (!signer) {
      log_warning("signer_denied", {{"session", session.hex()}, {"why", signer.error().message}});
    }
    const auto asked = conversations_.find(conversation);
    if (asked != conversations_.end()) {
      asked->second->send_signer(session, signer);
    }
  });
}

Result<UniqueFd> KeyDaemon::make_signer(const GrantFacts& facts) {
  if (signers_.size() >= kMaxSigners) {
    return Error{Errc::limit, "keyd has too many signers open; try again in a minute"};
  }
  if (facts.valid && facts.key_name.empty()) {
    return Error{Errc::denied, facts.target + " has no key; name one of the vault's in its target"};
  }
  auto key = facts.valid ? vault_.find(facts.key_name) : Result<VaultKey>(VaultKey{});
  if (!key) {
    return key.error();
  }
  auto grant = signing_grant(facts, key->public_key);
  if (!grant) {
    return grant.error();
  }
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return errno_error("making a signer");
  }
  UniqueFd theirs(fds[1]);
  const uint64_t number = next_number_++;
  log_info("signer_made", {{"session", facts.session.hex()},
                           {"person", facts.person},
                           {"target", facts.target},
                           {"login", facts.login},
                           {"key", key->name},
                           {"fingerprint", fingerprint(key->public_key.blob)}});
  OneSignatureAgent agent(std::move(*grant),
                          [this, key = std::move(*key)](auto algorithm, auto data) {
                            return sign(key, algorithm, data);
                          });
  signers_.emplace(number, std::make_unique<AgentSocket>(
                               loop_, UniqueFd(fds[0]), facts.session, std::move(agent),
                               [this, number] { signers_.erase(number); }));
  return theirs;
}

// The key is in memory from here to the end of this function.
Result<std::vector<uint8_t>> KeyDaemon::sign(const VaultKey& key, std::string_view algorithm,
                                             std::span<const uint8_t> data) const {
  const auto private_key = vault_.private_key(key.name);
  if (!private_key) {
    return private_key.error();
  }
  const auto public_key = ssh_public_key(**private_key);
  if (!public_key || *public_key != key.public_key) {
    return Error{Errc::denied, "the key was replaced after the grant was confirmed"};
  }
  return ssh_sign(**private_key, algorithm, data);
}

}  // namespace sallyport
