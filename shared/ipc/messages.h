// SPDX-License-Identifier: Apache-2.0
//
// Every message between our processes, by conversation; docs/ipc.md says who may send which, when.
#pragma once

#include "shared/base/id.h"
#include "shared/base/secret_bytes.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

enum class MessageType : uint16_t {
  answer = 0x0001,

  session_start = 0x0101,
  start_back = 0x0102,
  back_start = 0x0103,
  back_ready = 0x0104,
  session_failed = 0x0105,
  start_jump = 0x0106,
  jump_started = 0x0107,
  start_child = 0x0108,
  child_started = 0x0109,

  key_proven = 0x0201,
  prompt_wanted = 0x0202,
  prompt_answer = 0x0203,
  prompt = 0x0204,
  verdict = 0x0205,
  ask_key_login = 0x0206,
  ask_prompt_login = 0x0207,
  grant = 0x0208,
  grant_revoked = 0x0209,
  login_origin = 0x020a,
  ask_jump_login = 0x020b,
  ask_jump_target = 0x020c,
  jump_target = 0x020d,

  channel_open = 0x0301,
  channel_refused = 0x0303,
  channel_pty = 0x0304,
  channel_env = 0x0305,
  channel_start = 0x0306,
  channel_started = 0x0307,
  channel_resize = 0x0308,
  channel_signal = 0x0309,
  channel_data = 0x030a,
  channel_credit = 0x030b,
  channel_eof = 0x030c,
  channel_exit_status = 0x030d,
  channel_exit_signal = 0x030e,
  channel_close = 0x030f,
  channel_x11 = 0x0310,
  channel_agent = 0x0311,
  channel_break = 0x0316,
  forward_open = 0x0312,
  listen_ask = 0x0313,
  listen_answer = 0x0314,
  listen_cancel = 0x0315,

  confirm_grant = 0x0401,
  grant_facts = 0x0402,

  ask_signer = 0x0501,
  signer = 0x0502,
  vault_add = 0x0503,
  vault_generate = 0x0504,
  vault_remove = 0x0505,
  vault_list = 0x0506,
  vault_entry = 0x0507,

  open_recording = 0x0601,
  recording_opened = 0x0602,
  recording_ended = 0x0603,

  keys_list = 0x0701,
  key_entry = 0x0702,
  key_revoke = 0x0703,
  key_register = 0x0704,
  sessions_list = 0x0705,
  session_entry = 0x0706,
  session_kill = 0x0707,
  reload = 0x0708,
};

// The end of every administrative question: what happened, in one line for the person who asked.
struct Answer {
  static constexpr MessageType kType = MessageType::answer;
  bool ok = false;
  std::string text;
  void fields(auto& io) { io(ok, text); }
};

// --- gate and the processes of a session ---------------------------------------------------------

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
  std::vector<std::string> host_keys;      // "ssh-ed25519 AAAA...": the pinned ones
  std::vector<std::string> own_listeners;  // numeric: never to be dialled
  void fields(auto& io) { io(session, target, address, login, host_keys, own_listeners); }
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

// --- login: front -> monitor -> authd and back ---------------------------------------------------

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
  std::vector<std::string> environment;  // globs of variable names that may pass
  std::vector<std::string> forward_to;   // globs of "host:port" that -L and -D may reach
  std::vector<std::string> listen_on;    // globs of "address:port" that -R may listen on
  std::vector<std::string> recipients;   // age recipients of the recording
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
       forward_to, listen_on, recipients, stream_bytes, forward_bytes, idle_input_s, idle_output_s,
       session_s);
  }
};

// authd -> monitor, unasked: the right to exist has ended.
struct GrantRevoked {
  static constexpr MessageType kType = MessageType::grant_revoked;
  std::string text;
  void fields(auto& io) { io(text); }
};

// --- channels: front <-> monitor <-> back --------------------------------------------------------
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
  void fields(auto& io) { io(channel); }
};

// --- gate, keyd and stored confirm a grant with authd rather than believe the monitor
// -------------

enum class Purpose : uint8_t { dial, sign, record, jump, last_ = jump };

struct ConfirmGrant {
  static constexpr MessageType kType = MessageType::confirm_grant;
  Purpose purpose = Purpose::dial;
  Id grant;
  Id session;
  void fields(auto& io) { io(purpose, grant, session); }
};
// dial and sign are confirmed once per grant, record and jump as often as channels open.
struct GrantFacts {
  static constexpr MessageType kType = MessageType::grant_facts;
  Purpose purpose = Purpose::dial;
  Id grant;
  Id session;
  bool valid = false;
  std::string text;  // why not
  std::string person;
  std::string issuer;
  std::string subject;
  std::string address;      // the client's
  std::string fingerprint;  // of the client's key
  std::string target;
  std::string target_address;  // "host:port", "[v6]:port"
  std::string login;
  std::string key_name;  // in the vault
  std::vector<std::string> host_keys;
  void fields(auto& io) {
    io(purpose, grant, session, valid, text, person, issuer, subject, address, fingerprint, target,
       target_address, login, key_name, host_keys);
  }
};

// --- keyd ----------------------------------------------------------------------------------------

// gate -> keyd. The answer carries an ssh-agent socket (SOCK_STREAM) that signs once.
struct AskSigner {
  static constexpr MessageType kType = MessageType::ask_signer;
  Id grant;
  Id session;
  void fields(auto& io) { io(grant, session); }
};
struct Signer {
  static constexpr MessageType kType = MessageType::signer;
  Id session;
  bool ok = false;  // with one descriptor when true
  std::string text;
  void fields(auto& io) { io(session, ok, text); }
};
struct VaultAdd {  // administrator; answered by Answer
  static constexpr MessageType kType = MessageType::vault_add;
  std::string name;
  SecretBytes pkcs8;  // DER
  void fields(auto& io) { io(name, pkcs8); }
};
struct VaultGenerate {
  static constexpr MessageType kType = MessageType::vault_generate;
  std::string name;
  std::string algorithm;  // "ed25519", "ecdsa", "rsa"
  void fields(auto& io) { io(name, algorithm); }
};
struct VaultRemove {
  static constexpr MessageType kType = MessageType::vault_remove;
  std::string name;
  void fields(auto& io) { io(name); }
};
struct VaultList {
  static constexpr MessageType kType = MessageType::vault_list;
  void fields(auto&) {}
};
// One per key, then an Answer. Also precedes the Answer of add and generate.
struct VaultEntry {
  static constexpr MessageType kType = MessageType::vault_entry;
  std::string name;
  std::string public_key;   // authorized_keys line
  std::string fingerprint;  // "SHA256:..."
  uint64_t added_ms = 0;    // Unix
  void fields(auto& io) { io(name, public_key, fingerprint, added_ms); }
};

// --- stored --------------------------------------------------------------------------------------

// monitor -> stored. The answer carries the append-only descriptor of a new, empty file.
struct OpenRecording {
  static constexpr MessageType kType = MessageType::open_recording;
  Id grant;
  Id session;
  uint32_t channel = 0;
  ChannelKind kind = ChannelKind::shell;
  void fields(auto& io) { io(grant, session, channel, kind); }
};
struct RecordingOpened {
  static constexpr MessageType kType = MessageType::recording_opened;
  uint32_t channel = 0;
  bool ok = false;
  std::string text;
  void fields(auto& io) { io(channel, ok, text); }
};
struct RecordingEnded {
  static constexpr MessageType kType = MessageType::recording_ended;
  uint32_t channel = 0;
  uint64_t frames = 0;
  std::string chain_head;  // 32 bytes
  std::string reason;      // one word: "closed", "client", "target", "killed", "failed"
  void fields(auto& io) { io(channel, frames, chain_head, reason); }
};

// --- administration of authd ---------------------------------------------------------------------

struct KeysList {
  static constexpr MessageType kType = MessageType::keys_list;
  void fields(auto&) {}
};
struct KeyEntry {
  static constexpr MessageType kType = MessageType::key_entry;
  std::string fingerprint;
  std::string person;
  std::string issuer;
  std::string subject;
  std::string address;    // where from, at login
  uint64_t since_ms = 0;  // Unix, of the last login; 0: registered, never logged in
  uint64_t until_ms = 0;
  void fields(auto& io) { io(fingerprint, person, issuer, subject, address, since_ms, until_ms); }
};
struct KeyRevoke {
  static constexpr MessageType kType = MessageType::key_revoke;
  std::string fingerprint;
  void fields(auto& io) { io(fingerprint); }
};
// An administrator binds a key to a person before that person's first login (enrolment "closed").
struct KeyRegister {
  static constexpr MessageType kType = MessageType::key_register;
  std::string public_key;  // authorized_keys line
  std::string person;      // the name that the identity provider will give, or "subject:..."
  void fields(auto& io) { io(public_key, person); }
};
struct SessionsList {
  static constexpr MessageType kType = MessageType::sessions_list;
  void fields(auto&) {}
};
struct SessionEntry {
  static constexpr MessageType kType = MessageType::session_entry;
  Id session;
  std::string person;
  std::string target;
  std::string login;
  std::string address;
  std::string fingerprint;
  uint64_t since_ms = 0;
  void fields(auto& io) { io(session, person, target, login, address, fingerprint, since_ms); }
};
struct SessionKill {
  static constexpr MessageType kType = MessageType::session_kill;
  Id session;
  void fields(auto& io) { io(session); }
};
struct Reload {
  static constexpr MessageType kType = MessageType::reload;
  void fields(auto&) {}
};

}  // namespace sallyport
