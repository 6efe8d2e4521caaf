// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/channels.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/base/names.h"
#include "shared/base/printable.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace sallyport::monitor {

namespace {

constexpr size_t kMaxVariables = 129;                      // as sshd (session_env_req)
constexpr size_t kMaxEnvironmentBytes = 16 * 1024 * 1024;  // before the start, of all channels
constexpr size_t kMaxReasonBytes = 1024;
constexpr std::string_view kSftp = "sftp";

std::string describe(const ChannelStart& start) {
  switch (start.kind) {
    case ChannelKind::shell:
      return "a shell";
    case ChannelKind::exec:
      return "a command";
    default:
      return start.command == kSftp ? "sftp" : "the subsystem " + printable(start.command, 64);
  }
}

// What a shell would make of a death by signal.
uint32_t status_of_signal(const std::string& name) {
  static const std::map<std::string, int> kSignals = {
      {"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"FPE", SIGFPE},   {"HUP", SIGHUP},   {"ILL", SIGILL},
      {"INT", SIGINT},   {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV},
      {"TERM", SIGTERM}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}};
  const auto found = kSignals.find(name);
  return found == kSignals.end() ? 255 : 128 + static_cast<uint32_t>(found->second);
}

}  // namespace

Channels::Channel* Channels::find(uint32_t number) {
  const auto found = channels_.find(number);
  return found == channels_.end() ? nullptr : &found->second;
}

bool Channels::is_allowed(const ChannelStart& start) const {
  const Allowed bit = start.kind == ChannelKind::shell  ? Allowed::shell
                      : start.kind == ChannelKind::exec ? Allowed::exec
                      : start.command == kSftp          ? Allowed::sftp
                                                        : Allowed::subsystem;
  return allows(session_.grant.allowed, bit);
}

bool Channels::passes(const std::string& variable) const {
  return std::any_of(session_.grant.environment.begin(), session_.grant.environment.end(),
                     [&](const std::string& glob) { return glob_matches(glob, variable); });
}

Status Channels::open(const ChannelOpen& message) {
  // front numbers also those that it refuses itself, and does not know yet what the target opens.
  if (message.channel < next_number_ || message.channel >= kFirstTargetChannel ||
      channels_.size() >= 2 * kMaxChannels) {
    return out_of_turn("a channel");
  }
  next_number_ = message.channel + 1;
  channels_.emplace(message.channel, Channel{});
  return ok();
}

Status Channels::pty(const ChannelPty& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::preparing) {
    return out_of_turn("a terminal");
  }
  channel->pty = message;
  return ok();
}

size_t Channels::environment_bytes() const {
  size_t bytes = 0;
  for (const auto& [number, channel] : channels_) {
    bytes += channel.environment_bytes;
  }
  return bytes;
}

Status Channels::env(const ChannelEnv& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::preparing) {
    return out_of_turn("a variable");
  }
  const size_t bytes = message.name.size() + message.value.size();
  if (passes(message.name) && channel->environment.size() < kMaxVariables &&
      environment_bytes() + bytes <= kMaxEnvironmentBytes) {
    channel->environment_bytes += bytes;
    channel->environment.push_back(message);
  }
  return ok();
}

Status Channels::x11(const ChannelX11& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::preparing ||
      !allows(session_.grant.allowed, Allowed::x11)) {
    return out_of_turn("x11");
  }
  channel->x11 = message;
  asked_x11_ = true;
  return ok();
}

Status Channels::agent(const ChannelAgent& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::preparing ||
      !allows(session_.grant.allowed, Allowed::agent)) {
    return out_of_turn("an agent");
  }
  channel->wants_agent = true;
  asked_agent_ = true;
  return ok();
}

Status Channels::start(const ChannelStart& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::preparing ||
      message.kind > ChannelKind::subsystem) {
    return out_of_turn("a start");
  }
  channel->start = message;
  if (!is_allowed(message)) {
    refuse(
        message.channel, *channel,
        "sallyport: no role of yours allows " + describe(message) + " on " + session_.grant.target);
    return ok();
  }
  return ask_recording(message.channel, *channel);
}

void Channels::on_back_ready() {
  back_is_ready_ = true;
  for (auto& [number, channel] : channels_) {
    if (channel.step == Step::ready) {
      begin(number, channel);
    }
  }
  if (listen_asked_) {
    to_back(*listen_asked_);
  }
}

void Channels::begin(uint32_t number, Channel& channel) {
  channel.step = Step::starting;
  if (channel.forward) {
    return channel.by_target ? to_front(*channel.forward) : to_back(*channel.forward);
  }
  to_back(ChannelOpen{number});
  if (channel.pty) {
    to_back(*channel.pty);
  }
  if (channel.x11) {
    to_back(*channel.x11);
  }
  if (channel.wants_agent) {
    to_back(ChannelAgent{number});
  }
  channel.environment_bytes = 0;
  for (const ChannelEnv& variable : std::exchange(channel.environment, {})) {
    to_back(variable);
  }
  to_back(channel.start);
}

void Channels::refuse(uint32_t number, Channel& channel, const std::string& text) {
  if (channel.forward) {
    return forget_refused(number, channel, text);
  }
  to_front(ChannelRefused{number, text});
  channel.close_told = true;  // front closes it on that word
  finish(number, channel, "refused");
}

Status Channels::started(const ChannelStarted& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr) {
    return ok();
  }
  if (channel->step != Step::starting || channel->by_target) {
    return out_of_turn("an answer to a start");
  }
  if (channel->forward && !message.ok) {
    forget_refused(message.channel, *channel, "");
    return ok();
  }
  to_front(message);
  if (!message.ok) {
    finish(message.channel, *channel, "target");
    if (channel->user_closed) {
      close_at_front(message.channel, *channel);
      channels_.erase(message.channel);
    }
    return ok();
  }
  channel->step = Step::running;
  if (!channel->pty || channel->start.kind != ChannelKind::shell) {
    return ok();
  }
  // For terminals only: every other channel's streams stay as the target wrote them.
  const std::string notice = printable(session_.grant.person) + " \u00b7 " + session_.grant.target +
                             " \u00b7 session " + session_.session.hex().substr(0, 8) +
                             "\u2026 is recorded" + (channel->keys ? ", with keystrokes" : "") +
                             "\r\n";
  channel->own_bytes = notice.size();
  to_front(ChannelData{message.channel, Stream::output, notice});
  return record(*channel, channel->recording->add_output(Stream::output, notice));
}

Status Channels::refused(const ChannelRefused& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Step::starting && !channel->by_target) {
    refuse(message.channel, *channel, printable(message.text, kMaxReasonBytes));
  }
  return ok();
}

Status Channels::resize(const ChannelResize& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || !channel->pty) {
    return ok();
  }
  channel->pty->columns = message.columns;
  channel->pty->rows = message.rows;
  if (!channel->recording) {
    return ok();  // the recording will begin with this size, or has ended
  }
  if (channel->step >= Step::starting) {
    to_back(message);
  }
  return record(*channel, channel->recording->add_resize(message.columns, message.rows));
}

Status Channels::signal(const ChannelSignal& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Step::running && is_valid_name(message.name)) {
    to_back(message);
  }
  return ok();
}

Status Channels::record(Channel& channel, Status added) {
  channel.dirty = true;
  return added;
}

Status Channels::send_break(const ChannelBreak& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Step::running) {
    to_back(message);
  }
  return ok();
}

Status Channels::input(const ChannelData& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step == Step::closed) {
    return ok();
  }
  if (channel->step != Step::running || channel->input_ended || message.stream != Stream::input ||
      message.bytes.size() > channel->input_credit) {
    return out_of_turn("input");
  }
  channel->input_credit -= message.bytes.size();
  pass_data(back_, message);
  // Keystrokes only where a role wants them; what is piped into a command is content.
  if (!channel->pty) {
    return record(*channel, channel->recording->add_input(message.bytes));
  }
  return channel->keys ? record(*channel, channel->keys->typed(message.bytes)) : ok();
}

Status Channels::output(const ChannelData& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step == Step::closed) {
    return ok();
  }
  if (channel->step != Step::running || message.stream == Stream::input ||
      message.bytes.size() > channel->output_credit) {
    return out_of_turn("output");
  }
  channel->output_credit -= message.bytes.size();
  pass_data(front_, message);
  if (channel->keys) {
    if (Status matched = channel->keys->printed(message.bytes); !matched) {
      return matched;
    }
  }
  return record(*channel, channel->recording->add_output(message.stream, message.bytes));
}

Status Channels::input_credit(const ChannelCredit& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr) {
    return ok();
  }
  if (!message.input || channel->input_credit + message.bytes > kInitialCredit) {
    return out_of_turn("credit");
  }
  channel->input_credit += message.bytes;
  to_front(message);
  return ok();
}

Status Channels::output_credit(const ChannelCredit& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::running) {
    return ok();  // front also takes our own refusals
  }
  // What we have said ourselves was never back's to spend.
  const auto ours = static_cast<uint32_t>(std::min<uint64_t>(message.bytes, channel->own_bytes));
  const uint32_t bytes = message.bytes - ours;
  channel->own_bytes -= ours;
  if (message.input || channel->output_credit + bytes > kInitialCredit) {
    return out_of_turn("credit");
  }
  if (bytes > 0) {
    channel->output_credit += bytes;
    to_back(ChannelCredit{message.channel, false, bytes});
  }
  return ok();
}

Status Channels::input_eof(const ChannelEof& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Step::running && !channel->input_ended) {
    channel->input_ended = true;
    to_back(message);
  }
  return ok();
}

Status Channels::output_eof(const ChannelEof& message) {
  Channel* channel = find(message.channel);
  if (channel != nullptr && channel->step == Step::running) {
    to_front(message);
  }
  return ok();
}

Status Channels::exit_status(const ChannelExitStatus& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::running) {
    return ok();
  }
  to_front(message);
  return record(*channel, channel->recording->add_exit(message.status));
}

Status Channels::exit_signal(const ChannelExitSignal& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::running) {
    return ok();
  }
  to_front(message);
  return record(*channel, channel->recording->add_exit(status_of_signal(message.name)));
}

void Channels::close_at_front(uint32_t number, Channel& channel) {
  if (!channel.close_told) {
    channel.close_told = true;
    to_front(ChannelClose{number});
  }
}

// A channel is forgotten when both sides have closed it.
Status Channels::target_close(const ChannelClose& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step == Step::closed) {
    return ok();
  }
  close_at_front(message.channel, *channel);
  finish(message.channel, *channel, channel->user_closed ? "client" : "target");
  if (channel->user_closed) {
    channels_.erase(message.channel);
  }
  return ok();
}

Status Channels::user_close(const ChannelClose& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr) {
    return ok();
  }
  channel->user_closed = true;
  to_back(message);
  if (channel->step == Step::starting || channel->step == Step::running) {
    return ok();  // the target's exit status and close are still to come
  }
  close_at_front(message.channel, *channel);
  finish(message.channel, *channel, "client");
  channels_.erase(message.channel);
  return ok();
}

Status Channels::pass_on() {
  for (auto& [number, channel] : channels_) {
    if (!channel.dirty) {
      continue;
    }
    channel.dirty = false;
    if (const Status written = flush(channel); !written) {
      return written;
    }
  }
  if (unrecorded_) {  // what is staged may be of a channel that could not be finished
    return *unrecorded_;
  }
  sending_.swap(staged_);
  Status sent = ok();
  for (Staged& one : sending_) {
    if (sent) {
      sent = one.bytes.empty() ? one.peer->send(one.data)
                               : one.peer->send_encoded(std::move(one.bytes));
    }
  }
  sending_.clear();
  return sent;
}

}  // namespace sallyport::monitor
