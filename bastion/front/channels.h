// SPDX-License-Identifier: Apache-2.0
//
// The channels that the user has open (RFC 4254). A session channel is accepted here, its requests
// go to the monitor, and what comes back goes out. Every other channel type is refused.
#pragma once

#include "shared/ipc/dispatch.h"
#include "shared/ipc/peer.h"
#include "shared/ssh/channel_intake.h"
#include "shared/ssh/channel_outlet.h"
#include "shared/ssh/handles.h"

#include <list>
#include <memory>
#include <string>

namespace sallyport::front {

inline constexpr uint32_t kRefusedStatus = 254;  // nothing else uses it

class Channels {
public:
  // `refusal`: "", or what every channel is told before it is closed: the login was good and the
  // answer is no.
  Channels(ssh_session session, Peer& monitor, std::string refusal);

  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  void read_requests();
  Status receive(Received& message);
  void pump();
  void end_all(const std::string& text);
  bool empty() const { return channels_.empty(); }
  bool broken() const { return broken_; }
  // Not for ever: a write under congestion may read a packet that nothing else announces.
  int wait_ms() const { return 1000; }

  Status answer_started(const ChannelStarted& message);
  Status answer_refused(const ChannelRefused& message);
  Status answer_data(const ChannelData& message);
  Status answer_credit(const ChannelCredit& message);
  Status answer_eof(const ChannelEof& message);
  Status answer_exit_status(const ChannelExitStatus& message);
  Status answer_exit_signal(const ChannelExitSignal& message);
  Status answer_close(const ChannelClose& message);

private:
  struct Channel;
  void read_request(SshMessage message);
  void read_open(ssh_message message);
  void read_channel_request(SshMessage message);
  void read_pty(Channel& channel, ssh_message message);
  void read_resize(Channel& channel, ssh_message message);
  void read_start(Channel& channel, SshMessage message, ChannelKind kind);
  void read_other(Channel& channel, ssh_message message);
  void tell_and_close(Channel& channel, const std::string& text);
  void pump_channel(Channel& channel);
  void tell_closed(Channel& channel);
  void send(Status sent) { broken_ = broken_ || !sent; }
  Channel* find(uint32_t number);
  Channel* find(ssh_channel handle);

  ssh_session session_;
  Peer& monitor_;
  std::string refusal_;
  std::list<std::unique_ptr<Channel>> channels_;
  uint32_t next_number_ = 0;
  bool broken_ = false;
  std::set<MessageType> seen_;
};

}  // namespace sallyport::front
