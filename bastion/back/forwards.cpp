// SPDX-License-Identifier: Apache-2.0
//
// Connections that are carried: towards the target (-L, -D, -W), and from it (-R, agent, X11).
#include "bastion/back/channel.h"
#include "shared/base/log.h"

#include <algorithm>

namespace sallyport::back {

namespace {

constexpr size_t kMaxHostBytes = 255;

std::string text_of(const char* text) {
  return text == nullptr ? "" : text;
}

std::optional<ChannelKind> kind_of(int subtype) {
  switch (subtype) {
    case SSH_CHANNEL_FORWARDED_TCPIP:
      return ChannelKind::forwarded_tcpip;
    case SSH_CHANNEL_AUTH_AGENT:
      return ChannelKind::agent;
    case SSH_CHANNEL_X11:
      return ChannelKind::x11;
    default:
      return std::nullopt;
  }
}

}  // namespace

// --- towards the target

Status Channels::answer_forward_open(const ForwardOpen& message) {
  const Status opened = answer_open(ChannelOpen{message.channel});
  if (!opened) {
    return opened;
  }
  Channel& channel = *channels_.back();
  channel.forward = message;
  channel.is_session = false;
  channel.step = Channel::Step::opening;
  advance(channel);
  return ok();
}

int Channels::call_open(Channel& channel) {
  if (!channel.forward) {
    return ssh_channel_open_session(channel.handle);
  }
  return ssh_channel_open_forward(channel.handle, channel.forward->host.c_str(),
                                  channel.forward->port, channel.forward->origin.c_str(),
                                  channel.forward->origin_port);
}

// --- from the target

// What the target asks of us. Everything but these three kinds of channel is refused, and never
// left in libssh's queue, which has no bound (R10).
void Channels::read_requests() {
  pump_listen();  // that it listens comes before who has connected there
  while (SshMessage message{ssh_message_get(session_)}) {
    const int type = ssh_message_type(message.get());
    if (type == SSH_REQUEST_CHANNEL_OPEN) {
      read_open(std::move(message));
    } else if (type != SSH_REQUEST_CHANNEL ||
               find(ssh_message_channel_request_channel(message.get())) != nullptr) {
      ssh_message_reply_default(message.get());
    }  // else libssh has freed the channel that this message points to: no reply, then
  }
  packets_seen_ = packets_.in_packets;
}

void Channels::read_open(SshMessage message) {
  const auto kind = kind_of(ssh_message_subtype(message.get()));
  ForwardOpen open;
  if (kind == ChannelKind::forwarded_tcpip) {
    open.host = text_of(ssh_message_channel_request_open_destination(message.get()));
    open.port =
        static_cast<uint16_t>(ssh_message_channel_request_open_destination_port(message.get()));
  }
  if (kind && *kind != ChannelKind::agent) {
    open.origin = text_of(ssh_message_channel_request_open_originator(message.get()));
    open.origin_port =
        static_cast<uint16_t>(ssh_message_channel_request_open_originator_port(message.get()));
  }
  if (!kind || channels_.size() + waiting_opens_.size() >= kMaxChannels ||
      open.host.size() > kMaxHostBytes || open.origin.size() > kMaxHostBytes) {
    ssh_message_reply_default(message.get());
    return;
  }
  open.kind = *kind;
  open.channel = next_number_++;
  send(monitor_.send(open));
  waiting_opens_.add(open.channel, std::move(message));
}

Status Channels::answer_started(const ChannelStarted& message) {
  const SshMessage open = waiting_opens_.take(message.channel);
  if (!open) {
    return Error{Errc::protocol, "an answer to no request"};
  }
  const ssh_channel handle = ssh_message_channel_request_open_reply_accept(open.get());
  if (handle == nullptr) {
    broken_ = true;
    return ok();
  }
  channels_.push_back(std::make_unique<Channel>(handle, message.channel, monitor_));
  channels_.back()->is_session = false;
  channels_.back()->step = Channel::Step::running;
  channels_.back()->intake.open();
  return ok();
}

Status Channels::answer_refused(const ChannelRefused& message) {
  if (const SshMessage open = waiting_opens_.take(message.channel)) {
    ssh_message_reply_default(open.get());
  }
  return ok();
}

// --- listening at the target

Status Channels::answer_listen_ask(const ListenAsk& message) {
  if (listen_) {
    return Error{Errc::protocol, "two requests to listen at once"};
  }
  listen_ = Listen{message.address, message.port, false};
  pump_listen();
  return ok();
}

Status Channels::answer_listen_cancel(const ListenCancel& message) {
  if (listen_) {
    return Error{Errc::protocol, "two requests to listen at once"};
  }
  listen_ = Listen{message.address, message.port, true};
  pump_listen();
  return ok();
}

void Channels::pump_listen() {
  if (!listen_) {
    return;
  }
  int bound = listen_->port;
  const int result =
      listen_->is_cancel
          ? ssh_channel_cancel_forward(session_, listen_->address.c_str(), listen_->port)
          : ssh_channel_listen_forward(session_, listen_->address.c_str(), listen_->port, &bound);
  if (result == SSH_AGAIN) {
    return;
  }
  // A port that the target chose is read out of the last packet that came, which may be another
  // one.
  const bool is_good = result == SSH_OK && bound > 0 && bound <= 0xffff;
  listen_.reset();
  send(monitor_.send(ListenAnswer{is_good, static_cast<uint16_t>(is_good ? bound : 0)}));
}

}  // namespace sallyport::back
