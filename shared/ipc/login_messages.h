// SPDX-License-Identifier: Apache-2.0
//
// Login: front -> monitor -> authd and back.
#pragma once

#include "shared/base/id.h"
#include "shared/ipc/message_type.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

// front -> monitor: the client has signed with this key (RFC 4252 section 7).
struct KeyProven {
  static constexpr MessageType kType = MessageType::key_proven;
  std::string user;       // as typed
  std::string algorithm;  // "ssh-ed25519"
  std::string blob;       // the public key blob, RFC 4253 section 6.6
  void fields(auto& io) { io(user, algorithm, blob); }
};

// front -> monitor: the client asks for keyboard-interactive (RFC 4256).
struct PromptWanted {
  static constexpr MessageType kType = MessageType::prompt_wanted;
  std::string user;
  void fields(auto& io) { io(user); }
};

// front -> monitor -> authd: the client has answered the prompt.
struct PromptAnswer {
  static constexpr MessageType kType = MessageType::prompt_answer;
  std::string text;
  void fields(auto& io) { io(text); }
};

// authd -> monitor -> front. `automatic`: a round without prompts, which the client answers at
// once.
struct Prompt {
  static constexpr MessageType kType = MessageType::prompt;
  std::string text;
  bool automatic = false;
  void fields(auto& io) { io(text, automatic); }
};

enum class Login : uint8_t {
  accepted,      // front lets the client in
  more,          // the key is good, keyboard-interactive must follow (partial success)
  try_another,   // this method did not do; the client may try another
  refused,       // we know who it is and the answer is no: let in, say `text`, exit status 254
  disconnected,  // end the connection now, saying `text`
  last_ = disconnected
};

// authd -> monitor -> front (accepted is monitor's own: it follows from a grant).
struct Verdict {
  static constexpr MessageType kType = MessageType::verdict;
  Login login = Login::disconnected;
  std::string text;      // one line for the user
  uint32_t allowed = 0;  // accepted: the bits of the grant
  void fields(auto& io) { io(login, text, allowed); }
};

// gate -> authd, the first message on the connection that it opens for a monitor: what the monitor
// could only claim.
struct LoginOrigin {
  static constexpr MessageType kType = MessageType::login_origin;
  Id session;
  std::string address;      // the client's
  Id outer;                 // zero, or the session that this one is inside of (ssh -J)
  std::string jump_target;  // where the outer one wanted to go
  void fields(auto& io) { io(session, address, outer, jump_target); }
};

// monitor -> authd
struct AskKeyLogin {
  static constexpr MessageType kType = MessageType::ask_key_login;
  std::string user;
  std::string algorithm;
  std::string blob;
  void fields(auto& io) { io(user, algorithm, blob); }
};

// monitor -> authd: the device flow, for the key of an AskKeyLogin before it, or without a key.
struct AskPromptLogin {
  static constexpr MessageType kType = MessageType::ask_prompt_login;
  std::string user;
  void fields(auto& io) { io(user); }
};

// front -> monitor -> authd, in a session inside another one: nothing is left to prove.
struct AskJumpLogin {
  static constexpr MessageType kType = MessageType::ask_jump_login;
  std::string user;  // the login at the target
  void fields(auto& io) { io(user); }
};

// monitor -> authd: which target of the inventory is this?
struct AskJumpTarget {
  static constexpr MessageType kType = MessageType::ask_jump_target;
  uint32_t channel = 0;
  std::string host;
  uint16_t port = 0;
  void fields(auto& io) { io(channel, host, port); }
};
struct JumpTarget {
  static constexpr MessageType kType = MessageType::jump_target;
  uint32_t channel = 0;
  std::string target;  // "": none
  std::string text;    // why not
  void fields(auto& io) { io(channel, target, text); }
};

// What a grant allows; bits of Grant::allowed.
enum class Allowed : uint32_t {
  shell = 1,
  exec = 2,
  sftp = 4,
  subsystem = 8,  // any other than sftp
  local_forward = 16,
  remote_forward = 32,
  agent = 64,
  x11 = 128,
};

constexpr bool allows(uint32_t allowed, Allowed what) {
  return (allowed & static_cast<uint32_t>(what)) != 0;
}

// authd -> monitor: who this is and what may happen. Without a target (`target` is ""): nothing but
// going on to one with ssh -J; `refusal` says to whom asks for more why not.
struct Grant {
  static constexpr MessageType kType = MessageType::grant;
  Id grant;
  std::string person;  // display name
  std::string issuer;
  std::string subject;
  std::string fingerprint;  // "SHA256:..." of the proven key, "" without one
  std::string target;
  std::string login;
  std::string refusal;
  uint32_t allowed = 0;
  std::vector<std::string> environment;        // globs of variable names that may pass
  std::vector<std::string> forward_to;         // globs of "host:port" that -L and -D may reach
  std::vector<std::string> listen_on;          // globs of "address:port" that -R may listen on
  std::vector<std::string> recipients;         // age recipients of the recording
  std::vector<std::string> second_recipients;  // of its inner layer; empty: one person reads it
  // Of what is typed; empty: it is not recorded.
  std::vector<std::string> key_recipients;
  std::vector<std::string> second_key_recipients;
  // How much that is no text is kept of a channel before only its digest is: streams of commands
  // and subsystems, and forwarded connections.
  uint64_t stream_bytes = 0;
  uint64_t forward_bytes = 0;
  // Seconds after which the session ends; 0: never.
  uint32_t idle_input_s = 0;   // nothing came from the user
  uint32_t idle_output_s = 0;  // nothing came from the target
  uint32_t session_s = 0;      // since the grant
  void fields(auto& io) {
    io(grant, person, issuer, subject, fingerprint, target, login, refusal, allowed, environment,
       forward_to, listen_on, recipients, second_recipients, key_recipients, second_key_recipients,
       stream_bytes, forward_bytes, idle_input_s, idle_output_s, session_s);
  }
};

// authd -> monitor, unasked: the right to exist has ended.
struct GrantRevoked {
  static constexpr MessageType kType = MessageType::grant_revoked;
  std::string text;
  void fields(auto& io) { io(text); }
};

}  // namespace sallyport
