// SPDX-License-Identifier: Apache-2.0
//
// RFC 4252 as the server sees it, with our own state and our own counts: libssh has no limits
// (2,000 attempts and a 200 kB user name were answered politely), and its state is not relied on.
#pragma once

#include "shared/ipc/dispatch.h"
#include "shared/ipc/peer.h"
#include "shared/ssh/handles.h"

#include <chrono>
#include <optional>
#include <set>
#include <string>

namespace sallyport::front {

class UserAuth {
public:
  enum class State { running, in, failed };

  // is_jump: the session that this one is inside of has proven who it is; "none" is enough.
  UserAuth(ssh_session session, Peer& monitor, bool is_jump);

  State state() const { return state_; }
  // failed: why, for the user. in: "" or the refusal that every channel shall get.
  const std::string& text() const { return text_; }
  uint32_t allowed() const { return allowed_; }  // in: the bits of the grant

  // Takes what libssh has parsed so far; never waits.
  void read_requests();
  Status receive(Received& message);
  // While a prompt stands the client hears nothing: it must not take us for dead
  // (ServerAliveInterval), so send it something to ignore.
  void keep_awake();
  int wait_ms() const;  // at most, before read_requests() and keep_awake() are due

  Status answer_prompt(const Prompt& prompt);
  Status answer_verdict(const Verdict& verdict);

private:
  enum class Waiting { for_client, for_monitor };
  void read_request(SshMessage message);
  void read_auth(SshMessage message);
  void read_public_key(SshMessage message);
  void read_interactive(SshMessage message);
  void ask_monitor(SshMessage message, Status sent);
  void refuse(ssh_message message);
  void fail(std::string text);
  bool accept_user(ssh_message message);

  ssh_session session_;
  Peer& monitor_;
  bool is_jump_;
  State state_ = State::running;
  Waiting waiting_ = Waiting::for_client;
  std::string text_;
  uint32_t allowed_ = 0;
  std::string user_;  // the first one named, which may be ""
  bool has_user_ = false;
  std::set<std::string> proven_;  // key blobs that were signed with and did not do alone
  int attempts_ = 0;
  SshMessage pending_;  // what the monitor is thinking about
  SshMessage none_;     // to refuse what libssh cannot parse
  ssh_counter_struct packets_{};
  uint64_t packets_seen_ = 0;
  std::optional<std::chrono::steady_clock::time_point> swallowed_;  // a packet without a message
  std::chrono::steady_clock::time_point last_ignore_{};
  std::set<MessageType> seen_;
};

}  // namespace sallyport::front
