// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/login.h"
#include "bastion/authd/sign_in.h"
#include "shared/ipc/dispatch.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/peer.h"

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>

namespace sallyport {

class Server;

// One conversation over authd's socket. The first message decides which one it is: a login, which
// then stands for as long as its session lives; confirmations for gate, keyd or stored; or
// administration.
class Connection {
public:
  Connection(Server& server, uint64_t number, UniqueFd socket, uid_t uid);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The grant of this login is over: says so, and hangs up when the monitor does not.
  void revoke(const std::string& why);
  // Ends a sign-in that waits with this key; whether there was one.
  bool end_sign_in(const std::string& fingerprint);

private:
  enum class State { fresh, login, prompted, refused, session, confirm, administration };
  using Rule = AllowedMessage<Connection>;
  static std::span<const Rule> rules();

  void on_events(uint32_t events);
  Status answer(Received& received);
  template <class Message>
  Status send(const Message& message) {
    return after_sending(peer_.send(message));
  }
  Status after_sending(Status sent);
  void drop(const Error& why);  // destroys this

  Status answer_login_origin(const LoginOrigin& origin);
  Status answer_jump_login(const AskJumpLogin& ask);
  Status answer_jump_target(const AskJumpTarget& ask);
  Status answer_key_login(const AskKeyLogin& ask);
  Status answer_prompt_login(const AskPromptLogin& ask);
  Status answer_prompt_answer(const PromptAnswer& answer);
  Status answer_confirm_grant(const ConfirmGrant& question);
  Status answer_keys_list(const KeysList&);
  Status answer_key_revoke(const KeyRevoke& ask);
  Status answer_key_register(const KeyRegister& ask);
  Status answer_sessions_list(const SessionsList&);
  Status answer_session_kill(const SessionKill& ask);
  Status answer_reload(const Reload&);

  // What the login wants done.
  Status perform(Result<LoginSteps> steps);
  Status perform_step(Verdict& verdict);
  Status perform_step(Prompt& prompt);
  Status perform_step(Renewal& renewal);
  Status perform_step(Admission& admission);
  Status perform_step(StartSignIn&);
  Status perform_step(WakeUp& wake_up);

  Server& server_;
  const uint64_t number_;
  const uid_t uid_;
  Peer peer_;
  State state_ = State::fresh;
  std::set<MessageType> seen_;
  LoginConversation login_;
  std::unique_ptr<SignIn> sign_in_;
  EventLoop::TimerId wake_up_ = 0;
  EventLoop::TimerId hang_up_ = 0;
  std::optional<Id> grant_;
};

}  // namespace sallyport
