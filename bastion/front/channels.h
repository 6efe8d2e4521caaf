// SPDX-License-Identifier: Apache-2.0
//
// The channels of the user's connection (RFC 4254). What the client asks for goes to the monitor,
// which decides; what comes back is answered in the protocol's own words. Requests on a channel are
// in channel_requests.cpp, channels that carry a connection in forwards.cpp.
#pragma once

#include "bastion/front/jump_pipe.h"
#include "shared/ipc/dispatch.h"
#include "shared/ipc/peer.h"
#include "shared/ssh/channel_intake.h"
#include "shared/ssh/channel_outlet.h"
#include "shared/ssh/handles.h"
#include "shared/ssh/waiting_opens.h"

#include <poll.h>

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sallyport::front {

inline constexpr uint32_t kRefusedStatus = 254;  // nothing else uses it

class Channels {
public:
  // `refusal`: "", or what every session channel is told before it is closed: the login was good
  // and the answer is no.
  // allowed: bits of Allowed; the monitor checks again.
  Channels(ssh_session session, Peer& monitor, std::string refusal, uint32_t allowed);

  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  void read_requests();
  Status receive(Received& message);
  void pump();
  void end_all(const std::string& text);
  bool empty() const { return channels_.empty(); }
  bool broken() const { return broken_; }
  // Not for ever while something waits: a write under congestion may read a packet that nothing
  // else announces.
  int wait_ms() const;
  // What poll(2) shall watch besides the connection and the monitor.
  void add_to_poll(std::vector<pollfd>& fds) const;

  Status answer_started(const ChannelStarted& message, std::vector<UniqueFd>& fds);
  Status answer_refused(const ChannelRefused& message);
  Status answer_data(const ChannelData& message);
  Status answer_credit(const ChannelCredit& message);
  Status answer_eof(const ChannelEof& message);
  Status answer_exit_status(const ChannelExitStatus& message);
  Status answer_exit_signal(const ChannelExitSignal& message);
  Status answer_close(const ChannelClose& message);
  Status answer_forward_open(const ForwardOpen& message);
  Status answer_listen(const ListenAnswer& message);

private:
  struct Channel;
  struct ListenRequest {
    SshMessage message;
    bool refused;  // without asking
  };
  void read_request(SshMessage message);
  bool has_room() const;
  void pump_channel(Channel& channel);
  void tell_closed(Channel& channel, bool at_once = false);
  static bool writes_in_vain(const Channel& channel);
  void leave(Channel& channel, bool at_once);
  static bool is_over(const Channel& channel);
  static bool waits_for_answers(const Channel& channel);
  void send(Status sent) { broken_ = broken_ || !sent; }
  Channel* find(uint32_t number);
  Channel* find(ssh_channel handle);

  // channel_requests.cpp
  void read_channel_request(SshMessage message);
  void read_pty(Channel& channel, SshMessage message);
  void read_resize(Channel& channel, ssh_message message);
  void read_env(Channel& channel, SshMessage message);
  void read_x11(Channel& channel, SshMessage message);
  static void hold(Channel& channel, SshMessage message, bool refused);
  static void refuse(Channel& channel, SshMessage message);
  static void answer_held(Channel& channel, const ChannelStarted& how);
  void read_start(Channel& channel, SshMessage message, ChannelKind kind);
  void read_unknown(Channel& channel, SshMessage message);
  void tell_and_close(Channel& channel, const std::string& text);

  // forwards.cpp
  bool must_wait() const;
  void begin_late_opens();
  void read_open(SshMessage message);
  void begin_open(SshMessage message);
  void read_session_open(ssh_message message);
  void read_direct_open(SshMessage message);
  void read_global(SshMessage message);
  void ask_next_listen();
  void accept_open(uint32_t number, ssh_message open, std::vector<UniqueFd>& fds);
  void refuse_open(ssh_message open, const std::string& why);
  int call_open(Channel& channel);
  void advance_opening(Channel& channel);

  ssh_session session_;
  Peer& monitor_;
  std::string refusal_;
  uint32_t allowed_;
  ssh_counter_struct packets_{};
  uint64_t packets_seen_ = 0;
  std::list<std::unique_ptr<Channel>> channels_;
  WaitingOpens waiting_opens_;  // until the monitor has decided
  struct LateOpen {
    SshMessage message;
    std::chrono::steady_clock::time_point since;
  };
  std::deque<LateOpen> late_opens_;  // until there is room
  std::list<JumpPipe> jumps_;
  std::deque<ListenRequest> listen_requests_;  // the first one is with the monitor
  uint32_t next_number_ = 0;
  bool over_ = false;  // the session ends: nothing new is begun
  bool broken_ = false;
  std::set<MessageType> seen_;
};

}  // namespace sallyport::front
