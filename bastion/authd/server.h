// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/callers.h"
#include "bastion/authd/connection.h"
#include "bastion/authd/grants.h"
#include "bastion/authd/identity_provider.h"
#include "bastion/authd/login.h"
#include "bastion/authd/pending_sign_ins.h"
#include "bastion/authd/remembered_keys.h"
#include "shared/config/config.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/peer_listener.h"
#include "shared/ipc/workers.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace sallyport {

// Everything that the conversations share, all of it the loop's thread's.
class Server {
public:
  struct Parts {
    std::shared_ptr<const Config> config;
    const OauthLibrary& library;
    ClientCredential credential;
    std::shared_ptr<Provider> provider;
    RememberedKeys keys;
    Callers callers;
  };
  Server(EventLoop& loop, Parts parts, UniqueFd listener);

  // Loads the configuration again and ends the sessions that it gives no right to any more. On an
  // error everything stays as it was. The text is for the administrator.
  Answer reload();

  // Ends what stands and lets the workers finish; false when one of them still runs.
  bool stop();

private:
  friend class Connection;

  void admit(UniqueFd socket, uid_t user);
  Result<ClientCredential> read_credential_again(const IdentityConfig& identity) const;
  Status take_up(Config config);
  void drop(uint64_t connection);  // destroys it
  // Ends the sessions that `is_over` names; how many these were.
  size_t end_sessions(const std::function<bool(const Admission&)>& is_over, const std::string& why);
  void renew(const Renewal& renewal);
  size_t end_sign_ins(const std::string& fingerprint);  // those that wait with this key

  EventLoop& loop_;
  const OauthLibrary& library_;
  ClientCredential credential_;
  std::shared_ptr<Provider> provider_;
  RememberedKeys keys_;
  const Callers callers_;
  PendingSignIns pending_;
  Grants grants_;
  LoginContext login_context_;
  Workers workers_;
  uint64_t next_connection_ = 1;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  PeerListener listener_;
};

}  // namespace sallyport
