// SPDX-License-Identifier: Apache-2.0
#include "bastion/front/channels.h"

#include "shared/base/log.h"

#include <algorithm>

namespace sallyport::front {

namespace {

constexpr size_t kMaxCommandBytes = 96 * 1024;
constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxValueBytes = 16 * 1024;

constexpr AllowedMessage<Channels> kFromMonitor[] = {
    allow<&Channels::answer_started>(in(0), Times::many),
    allow<&Channels::answer_refused>(in(0), Times::many),
    allow<&Channels::answer_data>(in(0), Times::many),
    allow<&Channels::answer_credit>(in(0), Times::many),
    allow<&Channels::answer_eof>(in(0), Times::many),
    allow<&Channels::answer_exit_status>(in(0), Times::many),
    allow<&Channels::answer_exit_signal>(in(0), Times::many),
    allow<&Channels::answer_close>(in(0), Times::many),
};

std::string text_of(const char* text) {
  return text == nullptr ? "" : text;
}

struct PtyRequest {
  std::string term;
  uint32_t columns;
  uint32_t rows;
};
PtyRequest pty_of(ssh_message message) {
  return {text_of(ssh_message_channel_request_pty_term(message)),
          static_cast<uint32_t>(ssh_message_channel_request_pty_width(message)),
          static_cast<uint32_t>(ssh_message_channel_request_pty_height(message))};
}

}  // namespace

struct Channels::Channel {
  Channel(ssh_channel channel, uint32_t its_number, Channels& its_owner)
      : handle(channel),
        number(its_number),
        owner(its_owner),
        intake(channel, its_number, {Stream::input}, its_owner.monitor_),
        outlet(channel, its_number, false, its_owner.monitor_) {
    ssh_callbacks_init(&callbacks);
    callbacks.userdata = this;
    callbacks.channel_data_function = on_data;
    callbacks.channel_eof_function = on_eof;
    callbacks.channel_close_function = on_close;
    callbacks.channel_signal_function = on_signal;
    ssh_set_channel_callbacks(handle, &callbacks);
  }

  static Channel& self(void* userdata) { return *static_cast<Channel*>(userdata); }
  static int on_data(ssh_session, ssh_channel, void* data, uint32_t size, int extended,
                     void* userdata) noexcept {
    return self(userdata).intake.on_data(data, size, extended != 0);
  }
  static void on_eof(ssh_session, ssh_channel, void* userdata) noexcept {
    self(userdata).client_eof = true;
  }
  static void on_close(ssh_session, ssh_channel, void* userdata) noexcept {
    self(userdata).client_closed = true;
  }
  static void on_signal(ssh_session, ssh_channel, const char* name, void* userdata) noexcept {
    Channel& channel = self(userdata);
    if (channel.started && name != nullptr && std::string_view(name).size() <= kMaxNameBytes) {
      channel.owner.send(channel.owner.monitor_.send(ChannelSignal{channel.number, name}));
    }
  }

  ssh_channel handle;
  uint32_t number;
  Channels& owner;
  ssh_channel_callbacks_struct callbacks{};
  ChannelIntake intake;
  ChannelOutlet outlet;
  SshMessage start;        // shell or exec, waiting for the target
  bool announced = false;  // the monitor knows of it
  bool started = false;
  bool ended = false;  // nothing more goes to the monitor
  bool client_eof = false;
  bool eof_sent = false;
  bool client_closed = false;
  bool close_told = false;  // to the monitor
  bool gone = false;
};

Channels::Channels(ssh_session session, Peer& monitor, std::string refusal)
    : session_(session), monitor_(monitor), refusal_(std::move(refusal)) {}

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

void Channels::read_requests() {
  while (SshMessage message{ssh_message_get(session_)}) {
    read_request(std::move(message));
  }
}

void Channels::read_request(SshMessage message) {
  switch (ssh_message_type(message.get())) {
    case SSH_REQUEST_CHANNEL_OPEN:
      return read_open(message.get());
    case SSH_REQUEST_CHANNEL:
      return read_channel_request(std::move(message));
    default:
      ssh_message_reply_default(message.get());
  }
}

void Channels::read_open(ssh_message message) {
  if (ssh_message_subtype(message) != SSH_CHANNEL_SESSION || channels_.size() >= kMaxChannels) {
    log_info("channel refused", {{"open", std::to_string(channels_.size())}});
    ssh_message_reply_default(message);
    return;
  }
  const ssh_channel handle = ssh_message_channel_request_open_reply_accept(message);
  if (handle == nullptr) {
    broken_ = true;
    return;
  }
  channels_.push_back(std::make_unique<Channel>(handle, next_number_++, *this));
  Channel& channel = *channels_.back();
  if (refusal_.empty()) {
    send(monitor_.send(ChannelOpen{channel.number}));
    channel.announced = true;
  }
}

void Channels::read_channel_request(SshMessage message) {
  Channel* channel = find(ssh_message_channel_request_channel(message.get()));
  if (channel == nullptr) {
    return;  // libssh has freed the channel that this message points to: no reply, then
  }
  if (channel->ended) {
    ssh_message_reply_default(message.get());
    return;
  }
  switch (ssh_message_subtype(message.get())) {
    case SSH_CHANNEL_REQUEST_PTY:
      return read_pty(*channel, message.get());
    case SSH_CHANNEL_REQUEST_WINDOW_CHANGE:
      return read_resize(*channel, message.get());
    case SSH_CHANNEL_REQUEST_SHELL:
      return read_start(*channel, std::move(message), ChannelKind::shell);
    case SSH_CHANNEL_REQUEST_EXEC:
      return read_start(*channel, std::move(message), ChannelKind::exec);
    default:
      return read_other(*channel, message.get());
  }
}

void Channels::read_pty(Channel& channel, ssh_message message) {
  const PtyRequest pty = pty_of(message);
  if (channel.start || channel.started || pty.term.size() > kMaxNameBytes) {
    ssh_message_reply_default(message);
    return;
  }
  if (channel.announced) {
    send(monitor_.send(ChannelPty{channel.number, pty.term, pty.columns, pty.rows, ""}));
  }
  ssh_message_channel_request_reply_success(message);
}

void Channels::read_resize(Channel& channel, ssh_message message) {
  const PtyRequest pty = pty_of(message);
  if (channel.announced) {
    send(monitor_.send(ChannelResize{channel.number, pty.columns, pty.rows}));
  }
}

void Channels::read_start(Channel& channel, SshMessage message, ChannelKind kind) {
  const std::string command =
      kind == ChannelKind::exec ? text_of(ssh_message_channel_request_command(message.get())) : "";
  if (channel.start || channel.started) {
    ssh_message_reply_default(message.get());
    return;
  }
  if (!refusal_.empty() || command.size() > kMaxCommandBytes) {
    ssh_message_channel_request_reply_success(message.get());
    return tell_and_close(
        channel, refusal_.empty() ? "sallyport: the command is longer than 96 KiB" : refusal_);
  }
  send(monitor_.send(ChannelStart{channel.number, kind, command}));
  channel.start = std::move(message);
}

void Channels::read_other(Channel& channel, ssh_message message) {
  if (ssh_message_subtype(message) != SSH_CHANNEL_REQUEST_ENV) {
    ssh_message_reply_default(message);  // subsystem, x11, agent: a later version
    return;
  }
  const std::string name = text_of(ssh_message_channel_request_env_name(message));
  const std::string value = text_of(ssh_message_channel_request_env_value(message));
  if (!channel.announced || channel.start || channel.started || name.size() > kMaxNameBytes ||
      value.size() > kMaxValueBytes) {
    ssh_message_reply_default(message);
    return;
  }
  send(monitor_.send(ChannelEnv{channel.number, name, value}));
  ssh_message_channel_request_reply_success(message);
}

// One line on stderr, exit status 254, close.
void Channels::tell_and_close(Channel& channel, const std::string& text) {
  if (channel.start) {
    ssh_message_channel_request_reply_success(channel.start.get());
    channel.start.reset();
  }
  if (channel.ended) {
    return;
  }
  channel.ended = true;
  channel.intake.discard();
  if (!text.empty()) {
    // A terminal in raw mode needs the CR; elsewhere it does no harm.
    channel.outlet.push_data(Stream::error, text + "\r\n");
  }
  channel.outlet.push_eof();
  channel.outlet.push_exit_status(kRefusedStatus);
  channel.outlet.push_close();
}

void Channels::end_all(const std::string& text) {
  refusal_ = text.empty() ? "sallyport: this session has ended" : text;
  for (const auto& channel : channels_) {
    // The others get the refusal when they ask for their start: a client that is refused earlier
    // takes the failed request for the reason.
    if (channel->start || channel->started) {
      tell_and_close(*channel, text);
    }
  }
}

Status Channels::receive(Received& message) {
  return dispatch<Channels>(kFromMonitor, *this, 0, seen_, message);
}

// The monitor may speak of a channel that the client has just closed: that is no error.
Status Channels::answer_started(const ChannelStarted& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || !channel->start) {
    return ok();
  }
  const SshMessage start = std::move(channel->start);
  if (!message.ok) {
    ssh_message_reply_default(start.get());
    return ok();
  }
  ssh_message_channel_request_reply_success(start.get());
  channel->started = true;
  channel->intake.open();
  return ok();
}

Status Channels::answer_refused(const ChannelRefused& message) {
  if (Channel* channel = find(message.channel)) {
    tell_and_close(*channel, message.text);
  }
  return ok();
}

Status Channels::answer_data(const ChannelData& message) {
  if (Channel* channel = find(message.channel)) {
    channel->outlet.push_data(message.stream, message.bytes);
  }
  return ok();
}

Status Channels::answer_credit(const ChannelCredit& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && message.input) {
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

Status Channels::answer_exit_status(const ChannelExitStatus& message) {
  if (Channel* channel = find(message.channel)) {
    channel->outlet.push_exit_status(message.status);
  }
  return ok();
}

Status Channels::answer_exit_signal(const ChannelExitSignal& message) {
  if (Channel* channel = find(message.channel)) {
    channel->outlet.push_exit_signal(message.name, message.core, message.text);
  }
  return ok();
}

Status Channels::answer_close(const ChannelClose& message) {
  if (Channel* channel = find(message.channel)) {
    channel->outlet.push_close();
    channel->ended = true;
    channel->intake.discard();
  }
  return ok();
}

void Channels::pump_channel(Channel& channel) {
  channel.intake.pump();
  broken_ = broken_ || channel.intake.broken();
  if (channel.client_eof && !channel.eof_sent && !channel.ended && channel.announced &&
      channel.started && channel.intake.drained()) {
    send(monitor_.send(ChannelEof{channel.number}));
    channel.eof_sent = true;
  }
  if (channel.client_closed) {
    channel.outlet.discard_data();
    tell_closed(channel);
  }
  if (!channel.outlet.pump()) {
    channel.gone = channel.client_closed;  // not even an exit status goes out any more
    channel.client_closed = true;
  }
}

void Channels::tell_closed(Channel& channel) {
  if (channel.announced && !channel.close_told) {
    channel.close_told = true;
    send(monitor_.send(ChannelClose{channel.number}));
  }
}

// A client closes its side as soon as both ends of file are through, and still waits for the exit
// status: a channel ends when the target has closed it too. Nor is it freed before the client has
// closed it: on a channel that libssh keeps for its peer alone, data is bounded by nobody.
void Channels::pump() {
  for (auto it = channels_.begin(); it != channels_.end();) {
    Channel& channel = **it;
    pump_channel(channel);
    if (channel.outlet.closed()) {
      tell_closed(channel);
    }
    const bool nothing_to_come = !channel.announced || channel.gone;
    if (!channel.client_closed || (!channel.outlet.closed() && !nothing_to_come)) {
      ++it;
      continue;
    }
    tell_closed(channel);
    ssh_remove_channel_callbacks(channel.handle, &channel.callbacks);
    ssh_channel_close(channel.handle);
    ssh_channel_free(channel.handle);
    it = channels_.erase(it);
  }
}

}  // namespace sallyport::front
