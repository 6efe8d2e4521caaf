// SPDX-License-Identifier: Apache-2.0
//
// Channels that are opened: sessions, and connections that are carried through the connection (-L,
// -D, -W, -J from the client; -R, agent and X11 towards it).
#include "bastion/front/channel.h"
#include "shared/base/log.h"
#include "shared/base/printable.h"

#include <algorithm>

namespace sallyport::front {

namespace {

constexpr size_t kMaxHostBytes = 255;
constexpr size_t kMaxListenRequests = 64;
constexpr auto kLateOpenTime = std::chrono::seconds(5);

std::string text_of(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

bool Channels::has_room() const {
  return channels_.size() + waiting_opens_.size() + jumps_.size() < kMaxChannels;
}

// A client counts a channel no more that it has closed; here it takes room until the target has
// closed it too. One who opens and closes quickly would be refused for channels that are gone.
bool Channels::must_wait() const {
  return !has_room() && std::any_of(channels_.begin(), channels_.end(),
                                    [](const auto& channel) { return channel->client_closed; });
}

void Channels::read_open(SshMessage message) {
  if (late_opens_.size() < kMaxChannels && (!late_opens_.empty() || must_wait())) {
    late_opens_.push_back({std::move(message), std::chrono::steady_clock::now()});
  } else {
    begin_open(std::move(message));
  }
}

// Not for ever: a program at the target may go on long after its channel was closed here.
void Channels::begin_late_opens() {
  const auto is_due = [this] {
    return !must_wait() ||
           std::chrono::steady_clock::now() - late_opens_.front().since >= kLateOpenTime;
  };
  for (; !late_opens_.empty() && is_due(); late_opens_.pop_front()) {
    begin_open(std::move(late_opens_.front().message));
  }
}

void Channels::begin_open(SshMessage message) {
  const int kind = ssh_message_subtype(message.get());
  if (has_room() && kind == SSH_CHANNEL_SESSION) {
    return read_session_open(message.get());
  }
  if (has_room() && kind == SSH_CHANNEL_DIRECT_TCPIP) {
    return read_direct_open(std::move(message));
  }
  log_info("channel refused", {{"open", std::to_string(channels_.size())}});
  ssh_message_reply_default(message.get());
}

void Channels::read_session_open(ssh_message message) {
  const ssh_channel handle = ssh_message_channel_request_open_reply_accept(message);
  if (handle == nullptr) {
    broken_ = true;
    return;
  }
  channels_.push_back(std::make_unique<Channel>(handle, next_number_++, true, *this));
  Channel& channel = *channels_.back();
  if (refusal_.empty()) {
    send(monitor_.send(ChannelOpen{channel.number}));
    channel.announced = true;
  }
}

void Channels::read_direct_open(SshMessage message) {
  ForwardOpen open;
  open.kind = ChannelKind::direct_tcpip;
  open.host = text_of(ssh_message_channel_request_open_destination(message.get()));
  open.port =
      static_cast<uint16_t>(ssh_message_channel_request_open_destination_port(message.get()));
  open.origin = text_of(ssh_message_channel_request_open_originator(message.get()));
  open.origin_port =
      static_cast<uint16_t>(ssh_message_channel_request_open_originator_port(message.get()));
  if (over_ || open.host.size() > kMaxHostBytes || open.origin.size() > kMaxHostBytes) {
    ssh_message_reply_default(message.get());
    return;
  }
  open.channel = next_number_++;
  send(monitor_.send(open));
  waiting_opens_.add(open.channel, std::move(message));
}

void Channels::accept_open(uint32_t number, ssh_message open, std::vector<UniqueFd>& fds) {
  const ssh_channel handle = ssh_message_channel_request_open_reply_accept(open);
  if (handle == nullptr) {
    broken_ = true;
  } else if (!fds.empty()) {
    jumps_.emplace_back(handle, std::move(fds[0]));
  } else {
    channels_.push_back(std::make_unique<Channel>(handle, number, false, *this));
    Channel& channel = *channels_.back();
    channel.announced = true;
    channel.started = true;
    channel.intake.open();
  }
}

// libssh always says "administratively prohibited": `ssh -v` shows the reason in a debug message.
void Channels::refuse_open(ssh_message open, const std::string& why) {
  if (!why.empty()) {
    ssh_send_debug(session_, why.c_str(), 1);
  }
  ssh_message_reply_default(open);
}

// --- towards the client

Status Channels::answer_forward_open(const ForwardOpen& message) {
  const ssh_channel handle = has_room() && !over_ ? ssh_channel_new(session_) : nullptr;
  if (handle == nullptr) {
    return monitor_.send(ChannelRefused{message.channel, "too many channels"});
  }
  channels_.push_back(std::make_unique<Channel>(handle, message.channel, false, *this));
  Channel& channel = *channels_.back();
  channel.announced = true;
  channel.opening = message;
  channel.is_opening = true;
  return ok();
}

int Channels::call_open(Channel& channel) {
  const ForwardOpen& open = channel.opening;
  switch (open.kind) {
    case ChannelKind::agent:
      return ssh_channel_open_auth_agent(channel.handle);
    case ChannelKind::x11:
      return ssh_channel_open_x11(channel.handle, open.origin.c_str(), open.origin_port);
    default:
      return ssh_channel_open_reverse_forward(channel.handle, open.host.c_str(), open.port,
                                              open.origin.c_str(), open.origin_port);
  }
}

void Channels::advance_opening(Channel& channel) {
  const int result = call_open(channel);
  if (result == SSH_AGAIN) {
    return;
  }
  channel.is_opening = false;
  if (result == SSH_OK) {
    channel.started = true;
    channel.intake.open();
    return send(monitor_.send(ChannelStarted{channel.number, true}));
  }
  channel.gone = true;
  channel.client_closed = true;
  channel.close_told = true;
  channel.ended = true;
  send(monitor_.send(ChannelRefused{
      channel.number, "the client refuses it: " + printable(ssh_get_error(session_))}));
}

// --- tcpip-forward: answered in the order in which they were asked

void Channels::read_global(SshMessage message) {
  const int kind = ssh_message_subtype(message.get());
  const bool is_listen =
      kind == SSH_GLOBAL_REQUEST_TCPIP_FORWARD || kind == SSH_GLOBAL_REQUEST_CANCEL_TCPIP_FORWARD;
  const bool refused =
      !is_listen || over_ || !refusal_.empty() || listen_requests_.size() >= kMaxListenRequests ||
      text_of(ssh_message_global_request_address(message.get())).size() > kMaxHostBytes;
  if (listen_requests_.size() >= 2 * kMaxListenRequests) {
    broken_ = true;  // nobody asks for so many before the first is answered
    return;
  }
  listen_requests_.push_back({std::move(message), refused});
  if (listen_requests_.size() == 1) {
    ask_next_listen();
  }
}

void Channels::ask_next_listen() {
  while (!listen_requests_.empty() && listen_requests_.front().refused) {
    ssh_message_reply_default(listen_requests_.front().message.get());
    listen_requests_.pop_front();
  }
  if (listen_requests_.empty()) {
    return;
  }
  const ssh_message message = listen_requests_.front().message.get();
  const std::string address = text_of(ssh_message_global_request_address(message));
  const auto port = static_cast<uint16_t>(ssh_message_global_request_port(message));
  const bool is_cancel = ssh_message_subtype(message) == SSH_GLOBAL_REQUEST_CANCEL_TCPIP_FORWARD;
  send(is_cancel ? monitor_.send(ListenCancel{address, port})
                 : monitor_.send(ListenAsk{address, port}));
}

Status Channels::answer_listen(const ListenAnswer& message) {
  if (listen_requests_.empty()) {
    return Error{Errc::protocol, "an answer to no request"};
  }
  const SshMessage request = std::move(listen_requests_.front().message);
  listen_requests_.pop_front();
  if (message.ok) {
    ssh_message_global_request_reply_success(request.get(), message.port);
  } else {
    ssh_message_reply_default(request.get());
  }
  ask_next_listen();
  return ok();
}

}  // namespace sallyport::front
