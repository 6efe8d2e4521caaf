// SPDX-License-Identifier: Apache-2.0
#include "bastion/front/channel.h"
#include "shared/base/log.h"

#include <algorithm>

namespace sallyport::front {

namespace {

constexpr size_t kMaxSignalBytes = 256;
constexpr int kBusyWaitMs = 1000;
// The stock client sends its requests at once; one that has not asked for the start by now waits.
constexpr std::chrono::milliseconds kHoldTime{20};

constexpr AllowedMessage<Channels> kFromMonitor[] = {
    allow<&Channels::answer_started>(in(0), Times::many),
    allow<&Channels::answer_refused>(in(0), Times::many),
    allow<&Channels::answer_data>(in(0), Times::many),
    allow<&Channels::answer_credit>(in(0), Times::many),
    allow<&Channels::answer_eof>(in(0), Times::many),
    allow<&Channels::answer_exit_status>(in(0), Times::many),
    allow<&Channels::answer_exit_signal>(in(0), Times::many),
    allow<&Channels::answer_close>(in(0), Times::many),
    allow<&Channels::answer_forward_open>(in(0), Times::many),
    allow<&Channels::answer_listen>(in(0), Times::many),
};

}  // namespace

Channels::Channel& Channels::Channel::self(void* userdata) {
  return *static_cast<Channel*>(userdata);
}

int Channels::Channel::on_data(ssh_session, ssh_channel, void* data, uint32_t size, int extended,
                               void* userdata) noexcept {
  self(userdata).had_input = true;
  return self(userdata).intake.on_data(data, size, extended != 0);
}

void Channels::Channel::on_eof(ssh_session, ssh_channel, void* userdata) noexcept {
  self(userdata).client_eof = true;
}

void Channels::Channel::on_close(ssh_session, ssh_channel, void* userdata) noexcept {
  self(userdata).client_closed = true;
}

void Channels::Channel::on_signal(ssh_session, ssh_channel, const char* name,
                                  void* userdata) noexcept {
  Channel& channel = self(userdata);
  if (channel.started && name != nullptr && std::string_view(name).size() <= kMaxSignalBytes) {
    channel.owner.send(channel.owner.monitor_.send(ChannelSignal{channel.number, name}));
  }
}

void Channels::Channel::on_agent_request(ssh_session, ssh_channel, void* userdata) noexcept {
  Channel& channel = self(userdata);
  if (channel.announced && !channel.start && !channel.started) {
    channel.owner.send(channel.owner.monitor_.send(ChannelAgent{channel.number}));
  }
}

Channels::Channel::Channel(ssh_channel channel, uint32_t its_number, bool session,
                           Channels& its_owner)
    : handle(channel),
      number(its_number),
      is_session(session),
      owner(its_owner),
      intake(channel, its_number, {Stream::input}, its_owner.monitor_),
      outlet(channel, its_number, false, its_owner.monitor_) {
  ssh_callbacks_init(&callbacks);
  callbacks.userdata = this;
  callbacks.channel_data_function = on_data;
  callbacks.channel_eof_function = on_eof;
  callbacks.channel_close_function = on_close;
  callbacks.channel_signal_function = on_signal;
  if (allows(owner.allowed_, Allowed::agent)) {  // without the callback libssh refuses
    callbacks.channel_auth_agent_req_function = on_agent_request;
  }
  ssh_set_channel_callbacks(handle, &callbacks);
}

Channels::Channels(ssh_session session, Peer& monitor, std::string refusal, uint32_t allowed)
    : session_(session), monitor_(monitor), refusal_(std::move(refusal)), allowed_(allowed) {
  ssh_set_counters(session_, nullptr, &packets_);
}

// libssh's channels may outlive ours by a moment.
Channels::~Channels() {
  for (const auto& channel : channels_) {
    ssh_remove_channel_callbacks(channel->handle, &channel->callbacks);
  }
}

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
  packets_seen_ = packets_.in_packets;
}

void Channels::read_request(SshMessage message) {
  switch (ssh_message_type(message.get())) {
    case SSH_REQUEST_CHANNEL_OPEN:
      return read_open(std::move(message));
    case SSH_REQUEST_CHANNEL:
      return read_channel_request(std::move(message));
    case SSH_REQUEST_GLOBAL:
      return read_global(std::move(message));
    default:
      ssh_message_reply_default(message.get());
  }
}

void Channels::end_all(const std::string& text) {
  over_ = true;
  refusal_ = text.empty() ? "sallyport: this session has ended" : text;
  for (; !late_opens_.empty(); late_opens_.pop_front()) {
    refuse_open(late_opens_.front().message.get(), text);
  }
  while (const SshMessage open = waiting_opens_.take_any()) {
    refuse_open(open.get(), text);
  }
  jumps_.clear();  // the sessions inside this one end with it
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
Status Channels::answer_started(const ChannelStarted& message, std::vector<UniqueFd>& fds) {
  if (const SshMessage open = waiting_opens_.take(message.channel)) {
    message.ok ? accept_open(message.channel, open.get(), fds) : refuse_open(open.get(), "");
    return ok();
  }
  Channel* channel = find(message.channel);
  if (channel == nullptr || !channel->start) {
    return ok();
  }
  channel->has_terminal = channel->has_terminal && !message.no_terminal;
  answer_held(*channel, message);
  const SshMessage start = std::move(channel->start);
  if (!message.ok) {
    channel->ended = true;  // it takes no second start
    ssh_message_reply_default(start.get());
    return ok();
  }
  ssh_message_channel_request_reply_success(start.get());
  channel->started = true;
  channel->intake.open();
  return ok();
}

Status Channels::answer_refused(const ChannelRefused& message) {
  if (const SshMessage open = waiting_opens_.take(message.channel)) {
    refuse_open(open.get(), message.text);
  } else if (Channel* channel = find(message.channel)) {
    tell_and_close(*channel, message.text);
  }
  return ok();
}

Status Channels::answer_data(const ChannelData& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr) {
    return ok();
  }
  const bool unread =
      channel->client_closed || (channel->reader_left && message.stream == Stream::output);
  if (unread && !channel->unread_since) {
    channel->unread_since = std::chrono::steady_clock::now();
  }
  if (channel->reader_left && unread && writes_in_vain(*channel)) {
    leave(*channel, true);
  }
  channel->outlet.push_data(message.stream, message.bytes);
  return ok();
}

Status Channels::answer_credit(const ChannelCredit& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && message.input) {
    channel->intake.add_credit(message.bytes);
    if (channel->client_closed) {
      channel->unread_since.reset();  // what is left to take has an end
    }
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

// Rather than for what the target says to its start.
bool Channels::waits_for_answers(const Channel& channel) {
  return !channel.held.empty() && !channel.start;
}

void Channels::pump_channel(Channel& channel) {
  if (channel.is_opening) {
    return advance_opening(channel);
  }
  if (waits_for_answers(channel) &&
      std::chrono::steady_clock::now() - channel.held_since >= kHoldTime) {
    answer_held(channel, {});
  }
  channel.intake.pump();
  broken_ = broken_ || channel.intake.broken();
  if (channel.client_eof && !channel.eof_sent && !channel.ended && channel.announced &&
      channel.started && channel.intake.drained()) {
    send(monitor_.send(ChannelEof{channel.number}));
    channel.eof_sent = true;
  }
  if (channel.client_closed) {
    channel.outlet.discard_data();
    // What was sent before it arrives, as with sshd: clients close right after their last byte. A
    // program that takes none of it, and writes, is not kept alive by it.
    if (channel.is_session && writes_in_vain(channel) && !channel.intake.drained()) {
      leave(channel, true);
    } else if (channel.ended || (channel.started ? channel.intake.drained() : !channel.start)) {
      tell_closed(channel);
    }
  }
  if (!channel.outlet.pump()) {
    channel.gone = channel.client_closed;  // not even an exit status goes out any more
    channel.client_closed = true;
  }
}

void Channels::tell_closed(Channel& channel, bool at_once) {
  if (channel.announced && !channel.close_told) {
    channel.close_told = true;
    send(monitor_.send(ChannelClose{channel.number, at_once}));
  }
}

// sshd would end the program's output when its reader leaves, and let its input go on. libssh can
// only close both: after a time in which one that reads first, or writes little, has gone on.
bool Channels::writes_in_vain(const Channel& channel) {
  return channel.unread_since &&
         std::chrono::steady_clock::now() - *channel.unread_since >= kUnreadTime;
}

void Channels::leave(Channel& channel, bool at_once) {
  channel.outlet.discard_data();
  channel.intake.discard();
  tell_closed(channel, at_once);
}

// A client closes its side as soon as both ends of file are through, and still waits for the exit
// status: a channel ends when the target has closed it too. Nor is it freed before the client has
// closed it: on a channel that libssh keeps for its peer alone, data is bounded by nobody.
bool Channels::is_over(const Channel& channel) {
  const bool nothing_to_come = !channel.announced || channel.gone;
  const bool all_told = channel.close_told || !channel.announced;
  return channel.client_closed && (channel.outlet.closed() || nothing_to_come) && all_told;
}

void Channels::pump() {
  for (auto it = channels_.begin(); it != channels_.end();) {
    Channel& channel = **it;
    pump_channel(channel);
    if (channel.outlet.closed()) {
      tell_closed(channel);
    }
    if (!is_over(channel)) {
      ++it;
      continue;
    }
    ssh_remove_channel_callbacks(channel.handle, &channel.callbacks);
    ssh_channel_close(channel.handle);
    ssh_channel_free(channel.handle);
    it = channels_.erase(it);
  }
  for (JumpPipe& jump : jumps_) {
    jump.pump();
  }
  jumps_.remove_if([](const JumpPipe& jump) { return jump.is_over(); });
  begin_late_opens();
}

int Channels::wait_ms() const {
  const bool busy = is_congested(session_) || !waiting_opens_.empty() || !jumps_.empty() ||
                    std::any_of(channels_.begin(), channels_.end(), [](const auto& channel) {
                      return channel->is_opening || channel->client_closed ||
                             !channel->outlet.empty() || !channel->intake.drained();
                    });
  if (packets_.in_packets != packets_seen_) {
    return 0;  // nearly every call of libssh may read packets: what came is not looked at yet
  }
  const bool holds = std::any_of(channels_.begin(), channels_.end(),
                                 [](const auto& channel) { return waits_for_answers(*channel); });
  return holds ? static_cast<int>(kHoldTime.count()) : busy ? kBusyWaitMs : -1;
}

void Channels::add_to_poll(std::vector<pollfd>& fds) const {
  for (const JumpPipe& jump : jumps_) {
    fds.push_back(jump.poll_entry());
  }
}

}  // namespace sallyport::front
