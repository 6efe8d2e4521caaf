// SPDX-License-Identifier: Apache-2.0
//
// What the client asks for on a session channel (RFC 4254 section 6).
#include "bastion/front/channel.h"
#include "shared/base/log.h"

#include <string_view>
#include <utility>

namespace sallyport::front {

namespace {

constexpr size_t kMaxCommandBytes = 96 * 1024;
constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxValueBytes = kMaxCommandBytes;
constexpr size_t kMaxHeld = 160;  // more than the variables that sshd takes

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

ChannelX11 x11_of(ssh_message message, uint32_t number) {
  return {number, ssh_message_channel_request_x11_single_connection(message) != 0,
          text_of(ssh_message_channel_request_x11_auth_protocol(message)),
          text_of(ssh_message_channel_request_x11_auth_cookie(message)),
          static_cast<uint32_t>(ssh_message_channel_request_x11_screen_number(message))};
}

std::string command_of(ssh_message message, ChannelKind kind) {
  switch (kind) {
    case ChannelKind::exec:
      return text_of(ssh_message_channel_request_command(message));
    case ChannelKind::subsystem:
      return text_of(ssh_message_channel_request_subsystem(message));
    default:
      return "";
  }
}

}  // namespace

void Channels::read_channel_request(SshMessage message) {
  Channel* channel = find(ssh_message_channel_request_channel(message.get()));
  if (channel == nullptr) {
    return;  // libssh has freed the channel that this message points to: no reply, then
  }
  if (channel->ended || channel->close_told || !channel->is_session) {
    ssh_message_reply_default(message.get());
    return;
  }
  switch (ssh_message_subtype(message.get())) {
    case SSH_CHANNEL_REQUEST_PTY:
      return read_pty(*channel, std::move(message));
    case SSH_CHANNEL_REQUEST_WINDOW_CHANGE:
      return read_resize(*channel, message.get());
    case SSH_CHANNEL_REQUEST_SHELL:
      return read_start(*channel, std::move(message), ChannelKind::shell);
    case SSH_CHANNEL_REQUEST_EXEC:
      return read_start(*channel, std::move(message), ChannelKind::exec);
    case SSH_CHANNEL_REQUEST_SUBSYSTEM:
      return read_start(*channel, std::move(message), ChannelKind::subsystem);
    case SSH_CHANNEL_REQUEST_ENV:
      return read_env(*channel, std::move(message));
    case SSH_CHANNEL_REQUEST_X11:
      return read_x11(*channel, std::move(message));
    default:
      return read_unknown(*channel, std::move(message));
  }
}

void Channels::read_pty(Channel& channel, SshMessage message) {
  const PtyRequest pty = pty_of(message.get());
  if (channel.start || channel.started || channel.held.size() >= kMaxHeld ||
      pty.term.size() > kMaxNameBytes) {
    refuse(channel, std::move(message));
    return;
  }
  if (channel.announced) {
    send(monitor_.send(ChannelPty{channel.number, pty.term, pty.columns, pty.rows, ""}));
  }
  channel.has_terminal = true;
  hold(channel, std::move(message), false);
}

void Channels::read_resize(Channel& channel, ssh_message message) {
  const PtyRequest pty = pty_of(message);
  if (channel.announced) {
    send(monitor_.send(ChannelResize{channel.number, pty.columns, pty.rows}));
  }
}

void Channels::read_env(Channel& channel, SshMessage message) {
  const std::string name = text_of(ssh_message_channel_request_env_name(message.get()));
  const std::string value = text_of(ssh_message_channel_request_env_value(message.get()));
  if (!channel.announced || channel.start || channel.started || channel.held.size() >= kMaxHeld ||
      name.size() > kMaxNameBytes || value.size() > kMaxValueBytes) {
    refuse(channel, std::move(message));
    return;
  }
  send(monitor_.send(ChannelEnv{channel.number, name, value}));
  hold(channel, std::move(message), false);
}

void Channels::read_x11(Channel& channel, SshMessage message) {
  const ChannelX11 x11 = x11_of(message.get(), channel.number);
  if (!channel.announced || channel.start || channel.started || channel.held.size() >= kMaxHeld ||
      !allows(allowed_, Allowed::x11) || x11.protocol.size() > kMaxNameBytes ||
      x11.cookie.size() > kMaxNameBytes) {
    log_info("x11 refused", {{"channel", std::to_string(channel.number)}});
    refuse(channel, std::move(message));
    return;
  }
  send(monitor_.send(x11));
  hold(channel, std::move(message), false);
}

void Channels::hold(Channel& channel, SshMessage message, bool refused) {
  if (channel.held.empty()) {
    channel.held_since = std::chrono::steady_clock::now();
  }
  channel.held.push_back({std::move(message), refused});
}

// Not before the requests that came before this one.
void Channels::refuse(Channel& channel, SshMessage message) {
  if (channel.held.empty() || channel.held.size() >= kMaxHeld) {
    answer_held(channel, {});
    ssh_message_reply_default(message.get());
  } else {
    hold(channel, std::move(message), true);
  }
}

void Channels::answer_held(Channel& channel, const ChannelStarted& how) {
  for (const Channel::Held& held : std::exchange(channel.held, {})) {
    const int kind = ssh_message_subtype(held.message.get());
    const bool refused_by_target = (kind == SSH_CHANNEL_REQUEST_PTY && how.no_terminal) ||
                                   (kind == SSH_CHANNEL_REQUEST_X11 && how.no_x11);
    if (held.refused || refused_by_target) {
      ssh_message_reply_default(held.message.get());
    } else {
      ssh_message_channel_request_reply_success(held.message.get());
    }
  }
}

void Channels::read_start(Channel& channel, SshMessage message, ChannelKind kind) {
  const std::string command = command_of(message.get(), kind);
  if (channel.start || channel.started) {
    ssh_message_reply_default(message.get());
    return;
  }
  if (!refusal_.empty() || command.size() > kMaxCommandBytes) {
    answer_held(channel, {});
    ssh_message_channel_request_reply_success(message.get());
    return tell_and_close(
        channel, refusal_.empty() ? "sallyport: the command is longer than 96 KiB" : refusal_);
  }
  send(monitor_.send(ChannelStart{channel.number, kind, command}));
  channel.start = std::move(message);
}

// libssh does not tell the name of a request that it does not know. The stock client sends two of
// them: break (~B, which it has at a terminal only), and eow@openssh.com (its reader is gone:
// `yes | head -1`). Other clients' requests (PuTTY's winadj) mean neither.
void Channels::read_unknown(Channel& channel, SshMessage message) {
  const char* client = ssh_get_clientbanner(session_);
  const bool is_openssh =
      client != nullptr && std::string_view(client).find("OpenSSH") != std::string_view::npos;
  if (!is_openssh || !channel.started) {
    refuse(channel, std::move(message));
    return;
  }
  ssh_message_channel_request_reply_success(message.get());
  if (channel.has_terminal) {
    send(monitor_.send(ChannelBreak{channel.number}));
    return;
  }
  // libssh cannot pass this on to the target. The whole channel is closed: now where all of its
  // input is on its way, otherwise when the program goes on writing.
  channel.reader_left = true;
  if (!channel.had_input || channel.eof_sent) {
    leave(channel, false);
  }
}

// One line on stderr, exit status 254, close.
void Channels::tell_and_close(Channel& channel, const std::string& text) {
  answer_held(channel, {});
  if (channel.start) {
    ssh_message_channel_request_reply_success(channel.start.get());
    channel.start.reset();
  }
  if (channel.ended) {
    return;
  }
  channel.ended = true;
  channel.intake.discard();
  if (channel.is_session && !text.empty()) {
    // A terminal in raw mode needs the CR; elsewhere it does no harm.
    channel.outlet.push_data(Stream::error, text + "\r\n");
  }
  channel.outlet.push_eof();
  if (channel.is_session) {
    channel.outlet.push_exit_status(kRefusedStatus);
  }
  channel.outlet.push_close();
}

}  // namespace sallyport::front
