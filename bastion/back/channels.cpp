// SPDX-License-Identifier: Apache-2.0
#include "bastion/back/channel.h"
#include "shared/base/log.h"
#include "shared/base/printable.h"

#include <algorithm>

namespace sallyport::back {

namespace {

constexpr AllowedMessage<Channels> kFromMonitor[] = {
    allow<&Channels::answer_open>(in(0), Times::many),
    allow<&Channels::answer_pty>(in(0), Times::many),
    allow<&Channels::answer_env>(in(0), Times::many),
    allow<&Channels::answer_x11>(in(0), Times::many),
    allow<&Channels::answer_agent>(in(0), Times::many),
    allow<&Channels::answer_start>(in(0), Times::many),
    allow<&Channels::answer_resize>(in(0), Times::many),
    allow<&Channels::answer_signal>(in(0), Times::many),
    allow<&Channels::answer_break>(in(0), Times::many),
    allow<&Channels::answer_data>(in(0), Times::many),
    allow<&Channels::answer_credit>(in(0), Times::many),
    allow<&Channels::answer_eof>(in(0), Times::many),
    allow<&Channels::answer_close>(in(0), Times::many),
    allow<&Channels::answer_forward_open>(in(0), Times::many),
    allow<&Channels::answer_started>(in(0), Times::many),
    allow<&Channels::answer_refused>(in(0), Times::many),
    allow<&Channels::answer_listen_ask>(in(0), Times::many),
    allow<&Channels::answer_listen_cancel>(in(0), Times::many),
};

constexpr int kBusyWaitMs = 1000;
constexpr uint32_t kBreakMs = 1000;  // as the stock client asks for

// As with plain ssh, a session goes on without what the target refuses.
int without_refusal(int result, const char* what, bool* refused = nullptr) {
  if (result != SSH_ERROR) {
    return result;
  }
  log_info("the target refuses a request", {{"what", what}});
  if (refused != nullptr) {
    *refused = true;
  }
  return SSH_OK;
}

}  // namespace

Channels::Channels(ssh_session session, Peer& monitor) : session_(session), monitor_(monitor) {
  ssh_set_counters(session_, nullptr, &packets_);
}
Channels::~Channels() = default;

Channels::Channel* Channels::find(uint32_t number) {
  const auto found = std::find_if(channels_.begin(), channels_.end(),
                                  [number](const auto& c) { return c->number == number; });
  return found == channels_.end() ? nullptr : found->get();
}

Channels::Channel* Channels::find(ssh_channel handle) {
  const auto found = std::find_if(channels_.begin(), channels_.end(),
                                  [handle](const auto& c) { return c->handle == handle; });
  return found == channels_.end() ? nullptr : found->get();
}

Status Channels::receive(Received& message) {
  return dispatch<Channels>(kFromMonitor, *this, 0, seen_, message);
}

Status Channels::answer_open(const ChannelOpen& message) {
  // More than the monitor has: a close that makes room may come in this very batch.
  if (find(message.channel) != nullptr || channels_.size() >= 2 * kMaxChannels) {
    return Error{Errc::protocol, "channel opened twice, or one too many"};
  }
  channels_.push_back(
      std::make_unique<Channel>(ssh_channel_new(session_), message.channel, monitor_));
  return ok();
}

Status Channels::answer_pty(const ChannelPty& message) {
  if (Channel* channel = find(message.channel)) {
    channel->pty = message;
  }
  return ok();
}

Status Channels::answer_env(const ChannelEnv& message) {
  if (Channel* channel = find(message.channel)) {
    channel->environment.push_back(message);
  }
  return ok();
}

Status Channels::answer_x11(const ChannelX11& message) {
  if (Channel* channel = find(message.channel)) {
    channel->x11 = message;
  }
  return ok();
}

Status Channels::answer_agent(const ChannelAgent& message) {
  if (Channel* channel = find(message.channel)) {
    channel->wants_agent = true;
  }
  return ok();
}

Status Channels::answer_start(const ChannelStart& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Channel::Step::collecting) {
    channel->start = message;
    channel->step = Channel::Step::opening;
    advance(*channel);
  }
  return ok();
}

Status Channels::answer_resize(const ChannelResize& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Channel::Step::running) {
    ssh_channel_change_pty_size(channel->handle, static_cast<int>(message.columns),
                                static_cast<int>(message.rows));
  } else if (channel != nullptr && channel->pty) {
    channel->pty->columns = message.columns;
    channel->pty->rows = message.rows;
  }
  return ok();
}

Status Channels::answer_signal(const ChannelSignal& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Channel::Step::running) {
    ssh_channel_request_send_signal(channel->handle, message.name.c_str());
  }
  return ok();
}

Status Channels::answer_break(const ChannelBreak& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Channel::Step::running) {
    ssh_channel_request_send_break(channel->handle, kBreakMs);
  }
  return ok();
}

Status Channels::answer_data(const ChannelData& message) {
  if (Channel* channel = find(message.channel)) {
    channel->outlet.push_data(Stream::input, message.bytes);
  }
  return ok();
}

Status Channels::answer_credit(const ChannelCredit& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && !message.input) {
    channel->intake.add_credit(message.bytes);
  }
  return ok();
}

Status Channels::answer_eof(const ChannelEof& message) {
  if (Channel* channel = find(message.channel)) {
    channel->outlet.push_eof();
  }
  return ok();
}

Status Channels::answer_close(const ChannelClose& message) {
  if (Channel* channel = find(message.channel)) {
    channel->user_closed = true;
    channel->intake.discard();
    if (message.at_once) {
      channel->outlet.discard_data();
    }
    channel->outlet.push_close();  // after what was sent before it
  }
  return ok();
}

int Channels::call_environment(Channel& channel) {
  while (channel.next_variable < channel.environment.size()) {
    const ChannelEnv& variable = channel.environment[channel.next_variable];
    const int result =
        ssh_channel_request_env(channel.handle, variable.name.c_str(), variable.value.c_str());
    if (result == SSH_AGAIN) {
      return result;
    }
    ++channel.next_variable;  // a target that refuses a variable is as with plain ssh: no matter
  }
  return SSH_OK;
}

int Channels::call_start(Channel& channel) {
  switch (channel.start.kind) {
    case ChannelKind::exec:
      return ssh_channel_request_exec(channel.handle, channel.start.command.c_str());
    case ChannelKind::subsystem:
      return ssh_channel_request_subsystem(channel.handle, channel.start.command.c_str());
    default:
      return ssh_channel_request_shell(channel.handle);
  }
}

int Channels::call_step(Channel& channel) {
  switch (channel.step) {
    case Channel::Step::opening:
      return call_open(channel);
    case Channel::Step::terminal:
      return !channel.pty ? SSH_OK
                          : without_refusal(ssh_channel_request_pty_size(
                                                channel.handle, channel.pty->term.c_str(),
                                                static_cast<int>(channel.pty->columns),
                                                static_cast<int>(channel.pty->rows)),
                                            "a terminal", &channel.no_terminal);
    case Channel::Step::x11:
      return !channel.x11
                 ? SSH_OK
                 : without_refusal(ssh_channel_request_x11(
                                       channel.handle, channel.x11->single ? 1 : 0,
                                       channel.x11->protocol.c_str(), channel.x11->cookie.c_str(),
                                       static_cast<int>(channel.x11->screen)),
                                   "x11", &channel.no_x11);
    case Channel::Step::agent:
      return !channel.wants_agent
                 ? SSH_OK
                 : without_refusal(ssh_channel_request_auth_agent(channel.handle), "an agent");
    case Channel::Step::environment:
      return call_environment(channel);
    case Channel::Step::starting:
      return call_start(channel);
    default:
      return SSH_AGAIN;
  }
}

void Channels::advance(Channel& channel) {
  using Step = Channel::Step;
  while (channel.step >= Step::opening && channel.step <= Step::starting) {
    int result = call_step(channel);
    if (result == SSH_AGAIN && channel.target_closed) {
      result = SSH_ERROR;  // it will not answer any more
    }
    if (result == SSH_AGAIN) {
      return;
    }
    if (result != SSH_OK && channel.step == Step::opening) {
      return refuse(channel, "sallyport: the target refuses the channel: " +
                                 printable(ssh_get_error(session_)));
    }
    if (result != SSH_OK) {
      channel.step = Step::over;
      send(monitor_.send(
          ChannelStarted{channel.number, false, channel.no_terminal, channel.no_x11}));
      return;
    }
    channel.step =
        channel.forward ? Step::running : static_cast<Step>(static_cast<int>(channel.step) + 1);
    if (channel.step == Step::running) {
      channel.environment.clear();
      send(
          monitor_.send(ChannelStarted{channel.number, true, channel.no_terminal, channel.no_x11}));
      channel.intake.open();  // not before: data must not overtake this
    }
  }
}

void Channels::refuse(Channel& channel, const std::string& text) {
  channel.step = Channel::Step::over;
  channel.end_reported = true;
  send(monitor_.send(ChannelRefused{channel.number, text}));
}

// The order of RFC 4254 section 6.10: data, end of file, exit status, close.
void Channels::report_end(Channel& channel) {
  if ((channel.target_eof || channel.target_closed) && !channel.eof_reported &&
      channel.intake.drained()) {
    channel.eof_reported = true;
    send(monitor_.send(ChannelEof{channel.number}));
  }
  if (!channel.target_closed || !channel.eof_reported || channel.end_reported) {
    return;
  }
  channel.end_reported = true;
  if (channel.exit_signal) {
    send(monitor_.send(*channel.exit_signal));
  } else if (channel.exit_status) {
    send(monitor_.send(ChannelExitStatus{channel.number, *channel.exit_status}));
  }
  send(monitor_.send(ChannelClose{channel.number}));
}

void Channels::pump_channel(Channel& channel) {
  advance(channel);
  if (channel.step != Channel::Step::running) {
    return;
  }
  channel.intake.pump();
  broken_ = broken_ || channel.intake.broken();
  if (!channel.target_closed && !channel.outlet.pump()) {
    log_warning("a channel cannot be written", {{"why", printable(ssh_get_error(session_))}});
    channel.target_closed = true;
  }
  if (channel.user_closed && channel.is_session) {
    drop_stuck_input(channel);
  }
  report_end(channel);
}

// sshd would end the program's output at the close. It cannot be ended apart from the channel, and
// the close waits for input that the program does not take.
void Channels::drop_stuck_input(Channel& channel) {
  if (channel.outlet.queued_bytes() != channel.input_left) {
    channel.input_left = channel.outlet.queued_bytes();
    channel.unread_since.reset();
  }
  if (channel.unread_since &&
      std::chrono::steady_clock::now() - *channel.unread_since >= kUnreadTime) {
    channel.outlet.discard_data();
  }
}

// The user's close goes on to the target, whose exit status and close come back after it.
bool Channels::is_over(const Channel& channel) {
  return channel.user_closed && (channel.step == Channel::Step::collecting ||
                                 channel.step == Channel::Step::over || channel.end_reported);
}

int Channels::wait_ms() const {
  const bool busy = is_congested(session_) || listen_ || !waiting_opens_.empty() ||
                    std::any_of(channels_.begin(), channels_.end(), [](const auto& channel) {
                      return channel->step != Channel::Step::running || channel->user_closed ||
                             !channel->outlet.empty() || !channel->intake.drained();
                    });
  // Nearly every call of libssh may read packets, and what came with them is not looked at yet.
  return packets_.in_packets != packets_seen_ ? 0 : busy ? kBusyWaitMs : -1;
}

void Channels::pump() {
  pump_listen();
  for (auto it = channels_.begin(); it != channels_.end();) {
    Channel& channel = **it;
    pump_channel(channel);
    if (!is_over(channel)) {
      ++it;
      continue;
    }
    ssh_remove_channel_callbacks(channel.handle, &channel.callbacks);
    if (channel.step == Channel::Step::running) {
      ssh_channel_close(channel.handle);
    }
    ssh_channel_free(channel.handle);
    it = channels_.erase(it);
  }
}

}  // namespace sallyport::back
