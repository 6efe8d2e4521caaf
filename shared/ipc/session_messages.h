// SPDX-License-Identifier: Apache-2.0
//
// gate and the processes of a session.
#pragma once

#include "shared/base/id.h"
#include "shared/ipc/message_type.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

// gate -> nursery, with the descriptors that the child has.
struct StartChild {
  static constexpr MessageType kType = MessageType::start_child;
  std::vector<std::string> arguments;
  void fields(auto& io) { io(arguments); }
};
// nursery -> gate.
struct ChildStarted {
  static constexpr MessageType kType = MessageType::child_started;
  uint32_t pid = 0;  // 0: it could not fork
  void fields(auto& io) { io(pid); }
};

// gate -> monitor, first message on the control socket.
struct SessionStart {
  static constexpr MessageType kType = MessageType::session_start;
  Id session;
  std::string address;  // the client's, numeric, without port
  std::string node;
  bool is_jump = false;  // inside another session, which has proven who this is
  void fields(auto& io) { io(session, address, node, is_jump); }
};

// monitor -> gate: start a session inside this one (ssh -J); confirmed with authd like the rest.
struct StartJump {
  static constexpr MessageType kType = MessageType::start_jump;
  uint32_t channel = 0;
  Id grant;
  std::string target;
  void fields(auto& io) { io(channel, grant, target); }
};
// gate -> monitor, with a stream socket to the inner front when `ok`.
struct JumpStarted {
  static constexpr MessageType kType = MessageType::jump_started;
  uint32_t channel = 0;
  bool ok = false;
  std::string text;
  void fields(auto& io) { io(channel, ok, text); }
};

// monitor -> gate: start back, which dials the target of this grant.
struct StartBack {
  static constexpr MessageType kType = MessageType::start_back;
  Id grant;
  void fields(auto& io) { io(grant); }
};

// gate -> back, the only message on its control socket.
struct BackStart {
  static constexpr MessageType kType = MessageType::back_start;
  Id session;
  std::string target;
  std::string address;  // of the target: "host:port"
  std::string login;
  uint32_t keepalive_s = 0;                // 0: none
  std::vector<std::string> host_keys;      // "ssh-ed25519 AAAA...": the pinned ones
  std::vector<std::string> own_listeners;  // numeric: never to be dialled
  void fields(auto& io) {
    io(session, target, address, login, keepalive_s, host_keys, own_listeners);
  }
};

// back -> monitor: the target has let us in.
struct BackReady {
  static constexpr MessageType kType = MessageType::back_ready;
  std::string server_version;
  void fields(auto& io) { io(server_version); }
};

// gate or back -> monitor, monitor -> front, monitor -> back: this session ends, for this reason.
struct SessionFailed {
  static constexpr MessageType kType = MessageType::session_failed;
  std::string text;  // one line for the user, "" for an ordinary end
  void fields(auto& io) { io(text); }
};

}  // namespace sallyport
