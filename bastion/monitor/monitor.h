// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/monitor/channels.h"
#include "bastion/monitor/jumps.h"
#include "bastion/monitor/time_limits.h"
#include "shared/ipc/dispatch.h"
#include "shared/ipc/event_loop.h"

#include <memory>
#include <optional>
#include <set>

namespace sallyport::monitor {

// The middle of a session: one login, then its channels. Five conversations, each a table of what
// may be said in which state; a process that says anything else ends the session.
class Monitor {
public:
  enum class State {
    idle,      // front may ask for a login
    asked,     // authd thinks
    prompted,  // the user reads
    granted,   // channels
    jumping,   // let in without a target: sessions inside this one, and nothing else
    refused,   // the user is told so, by front
    ending
  };

  struct Peers {
    Peer control;
    Peer front;
    Peer back;
    Peer authd;
    Peer stored;
  };
  Monitor(EventLoop& loop, Peers peers, SessionStart start);

  // front
  Status answer_key_proven(const KeyProven& message);
  Status answer_prompt_wanted(const PromptWanted& message);
  Status answer_prompt_answer(const PromptAnswer& message);
  Status answer_jump_wanted(const AskJumpLogin& message);
  Status answer_open(const ChannelOpen& m) { return channels_->open(m); }
  Status answer_forward_open(const ForwardOpen& message);
  Status answer_started_by_user(const ChannelStarted& m) { return channels_->started_by_user(m); }
  Status answer_refused_by_user(const ChannelRefused& m) { return channels_->refused_by_user(m); }
  Status answer_listen_ask(const ListenAsk& m) { return channels_->listen_ask(m); }
  Status answer_listen_cancel(const ListenCancel& m) { return channels_->listen_cancel(m); }
  Status answer_x11(const ChannelX11& m) { return channels_->x11(m); }
  Status answer_agent(const ChannelAgent& m) { return channels_->agent(m); }
  Status answer_break(const ChannelBreak& m) { return channels_->send_break(m); }
  Status answer_pty(const ChannelPty& m) { return channels_->pty(m); }
  Status answer_env(const ChannelEnv& m) { return channels_->env(m); }
  Status answer_start(const ChannelStart& m) { return channels_->start(m); }
  Status answer_resize(const ChannelResize& m) { return channels_->resize(m); }
  Status answer_signal(const ChannelSignal& m) { return channels_->signal(m); }
  Status answer_input(const ChannelData& m) {
    limits_->note_input();
    return channels_->input(m);
  }
  Status answer_input_eof(const ChannelEof& m) { return channels_->input_eof(m); }
  Status answer_user_close(const ChannelClose& m) { return channels_->user_close(m); }
  Status answer_output_credit(const ChannelCredit& message);
  // authd
  Status answer_prompt(const Prompt& message);
  Status answer_verdict(const Verdict& message);
  Status answer_grant(const Grant& message);
  Status answer_revoked(const GrantRevoked& message);
  Status answer_jump_target(const JumpTarget& m) { return jumps_->target_known(m); }
  // gate
  Status answer_jump_started(const JumpStarted& m, std::vector<UniqueFd>& fds) {
    return jumps_->started(m, fds);
  }
  // back
  Status answer_back_ready(const BackReady& message);
  Status answer_failed(const SessionFailed& message);
  Status answer_open_by_target(const ForwardOpen& m) { return channels_->open_by_target(m); }
  Status answer_listen_answer(const ListenAnswer& m) { return channels_->listen_answer(m); }
  Status answer_started(const ChannelStarted& m) { return channels_->started(m); }
  Status answer_channel_refused(const ChannelRefused& m) { return channels_->refused(m); }
  Status answer_output(const ChannelData& m) {
    limits_->note_output();
    return channels_->output(m);
  }
  Status answer_output_eof(const ChannelEof& m) { return channels_->output_eof(m); }
  Status answer_exit_status(const ChannelExitStatus& m) { return channels_->exit_status(m); }
  Status answer_exit_signal(const ChannelExitSignal& m) { return channels_->exit_signal(m); }
  Status answer_target_close(const ChannelClose& m) { return channels_->target_close(m); }
  Status answer_input_credit(const ChannelCredit& m) { return channels_->input_credit(m); }
  // stored
  Status answer_recording_opened(const RecordingOpened& m, std::vector<UniqueFd>& fds) {
    return channels_->recording_opened(m, fds);
  }

private:
  struct Conversation {
    Peer peer;
    const char* name;
    std::span<const AllowedMessage<Monitor>> table;
    std::set<MessageType> seen{};
    bool watches_write = false;
  };
  void watch(Conversation& with);
  void on_ready(Conversation& with, uint32_t events);
  Status read_batch(Conversation& with);
  void on_lost(Conversation& with, const Error& why);
  void on_gate_lost();
  void update_writes();
  void tell_heads_later();
  void watch_keys();
  void cannot_record(const Error& why);
  void end(const std::string& text, const std::string& reason);

  EventLoop& loop_;
  SessionStart start_;
  Conversation control_;
  Conversation front_;
  Conversation back_;
  Conversation authd_;
  Conversation stored_;
  State state_ = State::idle;
  std::optional<Channels> channels_;
  std::optional<Jumps> jumps_;
  std::optional<TimeLimits> limits_;  // with channels_
  bool tells_heads_ = false;          // a timer runs
  bool watches_keys_ = false;
};

}  // namespace sallyport::monitor
