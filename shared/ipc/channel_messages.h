// SPDX-License-Identifier: Apache-2.0
//
// Channels: front <-> monitor <-> back.
#pragma once

#include "shared/ipc/message_type.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

// Channel numbers are the opener's, never used twice in a session: front's from 0, back's from
// kFirstTargetChannel. front opens a session channel with channel_open, pty, x11, agent, env and
// start; either side opens a forwarded connection with forward_open. monitor records and passes;
// the other side answers with channel_started or channel_refused.

enum class ChannelKind : uint8_t {
  shell,
  exec,
  subsystem,
  direct_tcpip,     // -L, -D, -W: front opens
  forwarded_tcpip,  // -R: back opens, as the next two
  agent,
  x11,
  last_ = x11
};
// "local-forward", as roles and recordings say it.
constexpr const char* name_of(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::shell:
      return "shell";
    case ChannelKind::exec:
      return "exec";
    case ChannelKind::subsystem:
      return "subsystem";
    case ChannelKind::direct_tcpip:
      return "local-forward";
    case ChannelKind::forwarded_tcpip:
      return "remote-forward";
    case ChannelKind::agent:
      return "agent";
    case ChannelKind::x11:
      return "x11";
  }
  return "";
}

inline constexpr uint32_t kFirstTargetChannel = 1U << 31;
enum class Stream : uint8_t { input, output, error, last_ = error };

struct ChannelOpen {
  static constexpr MessageType kType = MessageType::channel_open;
  uint32_t channel = 0;
  void fields(auto& io) { io(channel); }
};
// The channel is over before it began: front says `text` on a session channel and closes it with
// exit status 254; a forwarded connection is refused, and the text logged.
struct ChannelRefused {
  static constexpr MessageType kType = MessageType::channel_refused;
  uint32_t channel = 0;
  std::string text;
  void fields(auto& io) { io(channel, text); }
};
struct ChannelPty {  // RFC 4254 section 6.2
  static constexpr MessageType kType = MessageType::channel_pty;
  uint32_t channel = 0;
  std::string term;
  uint32_t columns = 0;
  uint32_t rows = 0;
  std::string modes;  // encoded terminal modes, RFC 4254 section 8; may be empty
  void fields(auto& io) { io(channel, term, columns, rows, modes); }
};
struct ChannelEnv {
  static constexpr MessageType kType = MessageType::channel_env;
  uint32_t channel = 0;
  std::string name;
  std::string value;
  void fields(auto& io) { io(channel, name, value); }
};
struct ChannelStart {
  static constexpr MessageType kType = MessageType::channel_start;
  uint32_t channel = 0;
  ChannelKind kind = ChannelKind::shell;
  std::string command;  // exec; the name of a subsystem
  void fields(auto& io) { io(channel, kind, command); }
};
struct ChannelX11 {  // RFC 4254 section 6.3.1
  static constexpr MessageType kType = MessageType::channel_x11;
  uint32_t channel = 0;
  bool single = false;
  std::string protocol;
  std::string cookie;
  uint32_t screen = 0;
  void fields(auto& io) { io(channel, single, protocol, cookie, screen); }
};
struct ChannelAgent {  // auth-agent-req@openssh.com
  static constexpr MessageType kType = MessageType::channel_agent;
  uint32_t channel = 0;
  void fields(auto& io) { io(channel); }
};
// A connection to pass on (RFC 4254 sections 6.3.2 and 7.2).
struct ForwardOpen {
  static constexpr MessageType kType = MessageType::forward_open;
  uint32_t channel = 0;
  ChannelKind kind = ChannelKind::direct_tcpip;
  std::string host;  // direct: to reach; forwarded: that was listened on; x11, agent: ""
  uint16_t port = 0;
  std::string origin;  // where the connection came from
  uint16_t origin_port = 0;
  void fields(auto& io) { io(channel, kind, host, port, origin, origin_port); }
};
// front -> monitor -> back: tcpip-forward (RFC 4254 section 7.1); one at a time, answered in order.
struct ListenAsk {
  static constexpr MessageType kType = MessageType::listen_ask;
  std::string address;
  uint16_t port = 0;  // 0: the target chooses
  void fields(auto& io) { io(address, port); }
};
struct ListenAnswer {  // back or monitor
  static constexpr MessageType kType = MessageType::listen_answer;
  bool ok = false;
  uint16_t port = 0;  // that the target chose
  void fields(auto& io) { io(ok, port); }
};
struct ListenCancel {  // front -> monitor -> back, answered with listen_answer too
  static constexpr MessageType kType = MessageType::listen_cancel;
  std::string address;
  uint16_t port = 0;
  void fields(auto& io) { io(address, port); }
};
struct ChannelStarted {
  static constexpr MessageType kType = MessageType::channel_started;
  uint32_t channel = 0;
  bool ok = false;
  bool no_terminal = false;  // the target has refused it, and started all the same
  bool no_x11 = false;
  void fields(auto& io) { io(channel, ok, no_terminal, no_x11); }
};
struct ChannelResize {
  static constexpr MessageType kType = MessageType::channel_resize;
  uint32_t channel = 0;
  uint32_t columns = 0;
  uint32_t rows = 0;
  void fields(auto& io) { io(channel, columns, rows); }
};
struct ChannelSignal {
  static constexpr MessageType kType = MessageType::channel_signal;
  uint32_t channel = 0;
  std::string name;  // "INT", without "SIG"
  void fields(auto& io) { io(channel, name); }
};
struct ChannelBreak {  // RFC 4335; libssh does not tell the length
  static constexpr MessageType kType = MessageType::channel_break;
  uint32_t channel = 0;
  void fields(auto& io) { io(channel); }
};
inline constexpr size_t kMaxDataBytes = 96 * 1024;
// What a side may have on its way per channel and direction before the other side has taken it.
inline constexpr uint32_t kInitialCredit = 512 * 1024;
// A browser behind -D opens some hundred. libssh may hold its window (1.28 MB) per channel that is
// not read, and twice that of a peer that ignores it: the limit of memory ends such a session.
inline constexpr uint32_t kMaxChannels = 128;

struct ChannelData {
  static constexpr MessageType kType = MessageType::channel_data;
  uint32_t channel = 0;
  Stream stream = Stream::output;
  std::string_view bytes;  // points into the received message; 1 to kMaxDataBytes
  void fields(auto& io) { io(channel, stream, bytes); }
};
// The receiver of data has taken this many bytes: as many more may be sent. `input`: the credit is
// for data towards the target; otherwise for output and error together, towards the client.
struct ChannelCredit {
  static constexpr MessageType kType = MessageType::channel_credit;
  uint32_t channel = 0;
  bool input = false;
  uint32_t bytes = 0;
  void fields(auto& io) { io(channel, input, bytes); }
};
struct ChannelEof {
  static constexpr MessageType kType = MessageType::channel_eof;
  uint32_t channel = 0;
  void fields(auto& io) { io(channel); }
};
struct ChannelExitStatus {
  static constexpr MessageType kType = MessageType::channel_exit_status;
  uint32_t channel = 0;
  uint32_t status = 0;
  void fields(auto& io) { io(channel, status); }
};
struct ChannelExitSignal {
  static constexpr MessageType kType = MessageType::channel_exit_signal;
  uint32_t channel = 0;
  std::string name;
  bool core = false;
  std::string text;
  void fields(auto& io) { io(channel, name, core, text); }
};
struct ChannelClose {
  static constexpr MessageType kType = MessageType::channel_close;
  uint32_t channel = 0;
  bool at_once = false;  // towards the target: input before this that it has not taken is dropped
  void fields(auto& io) { io(channel, at_once); }
};

}  // namespace sallyport
