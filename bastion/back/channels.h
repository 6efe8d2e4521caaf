// SPDX-License-Identifier: Apache-2.0
//
// The channels at the target. A session is opened, given its terminal, X11, agent and environment,
// and started, one libssh call after the other as the target answers; forwards.cpp has connections
// that are carried, from either side.
#pragma once

#include "shared/ipc/dispatch.h"
#include "shared/ipc/peer.h"
#include "shared/ssh/channel_intake.h"
#include "shared/ssh/channel_outlet.h"
#include "shared/ssh/handles.h"
#include "shared/ssh/waiting_opens.h"

#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace sallyport::back {

class Channels {
public:
  Channels(ssh_session session, Peer& monitor);
  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  void read_requests();
  Status receive(Received& message);
  void pump();
  bool broken() const { return broken_; }
  // Not for ever while something waits: a write under congestion may read a packet that nothing
  // else announces.
  int wait_ms() const;

  Status answer_open(const ChannelOpen& message);
  Status answer_pty(const ChannelPty& message);
  Status answer_env(const ChannelEnv& message);
  Status answer_x11(const ChannelX11& message);
  Status answer_agent(const ChannelAgent& message);
  Status answer_start(const ChannelStart& message);
  Status answer_resize(const ChannelResize& message);
  Status answer_signal(const ChannelSignal& message);
  Status answer_break(const ChannelBreak& message);
  Status answer_data(const ChannelData& message);
  Status answer_credit(const ChannelCredit& message);
  Status answer_eof(const ChannelEof& message);
  Status answer_close(const ChannelClose& message);
  Status answer_forward_open(const ForwardOpen& message);
  Status answer_started(const ChannelStarted& message);
  Status answer_refused(const ChannelRefused& message);
  Status answer_listen_ask(const ListenAsk& message);
  Status answer_listen_cancel(const ListenCancel& message);

private:
  struct Channel;
  struct Listen {
    std::string address;
    uint16_t port;
    bool is_cancel;
  };
  Channel* find(uint32_t number);
  Channel* find(ssh_channel handle);
  void advance(Channel& channel);
  int call_step(Channel& channel);
  int call_open(Channel& channel);
  int call_environment(Channel& channel);
  int call_start(Channel& channel);
  void refuse(Channel& channel, const std::string& text);
  void pump_channel(Channel& channel);
  void report_end(Channel& channel);
  static void drop_stuck_input(Channel& channel);
  static bool is_over(const Channel& channel);
  void send(Status sent) { broken_ = broken_ || !sent; }

  // forwards.cpp
  void read_open(SshMessage message);
  void pump_listen();

  ssh_session session_;
  Peer& monitor_;
  std::list<std::unique_ptr<Channel>> channels_;
  WaitingOpens waiting_opens_;    // of the target, until the monitor has decided
  std::optional<Listen> listen_;  // asked of the target
  uint32_t next_number_ = kFirstTargetChannel;
  ssh_counter_struct packets_{};
  uint64_t packets_seen_ = 0;
  bool broken_ = false;
  std::set<MessageType> seen_;
};

}  // namespace sallyport::back
