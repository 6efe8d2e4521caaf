// SPDX-License-Identifier: Apache-2.0
//
// The channels at the target, one for each that front has open. A channel is opened, given its
// terminal and environment, and started, one libssh call after the other as the target answers.
#pragma once

#include "shared/ipc/dispatch.h"
#include "shared/ipc/peer.h"
#include "shared/ssh/channel_intake.h"
#include "shared/ssh/channel_outlet.h"
#include "shared/ssh/handles.h"

#include <list>
#include <memory>

namespace sallyport::back {

class Channels {
public:
  Channels(ssh_session session, Peer& monitor);
  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  Status receive(Received& message);
  void pump();
  bool broken() const { return broken_; }
  int wait_ms() const { return 1000; }

  Status answer_open(const ChannelOpen& message);
  Status answer_pty(const ChannelPty& message);
  Status answer_env(const ChannelEnv& message);
  Status answer_start(const ChannelStart& message);
  Status answer_resize(const ChannelResize& message);
  Status answer_signal(const ChannelSignal& message);
  Status answer_data(const ChannelData& message);
  Status answer_credit(const ChannelCredit& message);
  Status answer_eof(const ChannelEof& message);
  Status answer_close(const ChannelClose& message);

private:
  struct Channel;
  Channel* find(uint32_t number);
  void advance(Channel& channel);
  int call_step(Channel& channel);
  void refuse(Channel& channel, const std::string& text);
  void pump_channel(Channel& channel);
  void report_end(Channel& channel);
  bool is_over(Channel& channel);
  void send(Status sent) { broken_ = broken_ || !sent; }

  ssh_session session_;
  Peer& monitor_;
  std::list<std::unique_ptr<Channel>> channels_;
  bool broken_ = false;
  std::set<MessageType> seen_;
};

}  // namespace sallyport::back
