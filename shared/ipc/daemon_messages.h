// SPDX-License-Identifier: Apache-2.0
//
// What authd, keyd and stored are asked.
#pragma once

#include "shared/base/id.h"
#include "shared/base/recording_part.h"
#include "shared/base/secret_bytes.h"
#include "shared/ipc/channel_messages.h"
#include "shared/ipc/message_type.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

// --- gate, keyd and stored confirm a grant with authd rather than believe the monitor

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
  std::vector<std::string> roles;  // that give this right
  std::string key_name;            // in the vault
  std::vector<std::string> host_keys;
  void fields(auto& io) {
    io(purpose, grant, session, valid, text, person, issuer, subject, address, fingerprint, target,
       target_address, login, roles, key_name, host_keys);
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

// --- keyd signs the node log (docs/formats/log.md)

struct LogState {  // stored, administrator
  static constexpr MessageType kType = MessageType::log_state;
  void fields(auto&) {}
};
struct LogStateIs {
  static constexpr MessageType kType = MessageType::log_state_is;
  std::string verifier;  // "sallyport/NODE+KEYID+BASE64"
  std::string note;      // the checkpoint signed last; empty: none
  std::string text;      // why keyd knows of none though it has signed; empty: it knows
  void fields(auto& io) { io(verifier, note, text); }
};
// stored -> keyd. The answers come in the order of the questions.
struct SignCheckpoint {
  static constexpr MessageType kType = MessageType::sign_checkpoint;
  uint64_t size = 0;
  std::string root;                // 32 bytes
  std::vector<std::string> proof;  // 32 bytes each; of consistency with the larger of
                                   // LogStateIs::note and `previous`
  std::string previous;            // stored's last signed note, where keyd's is lost or older
  void fields(auto& io) { io(size, root, proof, previous); }
};
struct CheckpointSigned {
  static constexpr MessageType kType = MessageType::checkpoint_signed;
  bool ok = false;
  std::string text;  // why not
  std::string note;
  void fields(auto& io) { io(ok, text, note); }
};

// --- stored --------------------------------------------------------------------------------------

// monitor -> stored. The answer carries the append-only descriptor of a new file with this header.
struct OpenRecording {
  static constexpr MessageType kType = MessageType::open_recording;
  Id grant;
  Id session;
  uint32_t channel = 0;
  RecordingPart part = RecordingPart::channel;
  ChannelKind kind = ChannelKind::shell;
  std::string header;  // BREC/1, with the key in its envelope
  void fields(auto& io) { io(grant, session, channel, part, kind, header); }
};
struct RecordingOpened {
  static constexpr MessageType kType = MessageType::recording_opened;
  uint32_t channel = 0;
  RecordingPart part = RecordingPart::channel;
  bool ok = false;
  std::string text;
  void fields(auto& io) { io(channel, part, ok, text); }
};
struct RecordingEnded {
  static constexpr MessageType kType = MessageType::recording_ended;
  uint32_t channel = 0;
  RecordingPart part = RecordingPart::channel;
  uint64_t frames = 0;
  std::string chain_head;  // 32 bytes; empty: the monitor does not know, look at the file
  std::string reason;      // one word of the node log's (is_end_reason)
  void fields(auto& io) { io(channel, part, frames, chain_head, reason); }
};
// monitor -> stored: how far a recording is, 15 s after it has moved.
struct RecordingHeadIs {
  static constexpr MessageType kType = MessageType::recording_head_is;
  uint32_t channel = 0;
  RecordingPart part = RecordingPart::channel;
  uint64_t frames = 0;
  std::string chain_head;  // 32 bytes
  void fields(auto& io) { io(channel, part, frames, chain_head); }
};

enum class RecordingState : uint8_t {
  any,  // in a question only
  running,
  ended,
  cut_off,  // no end frame: its monitor or the machine went without a word
  erased,
  set_aside,  // the file is not what its name says
  missing,    // no file
  last_ = missing
};
// Administrator. What is left empty, zero or `any` asks for nothing. One entry per recording that
// has it all, newest start first, then an Answer. The next page: `before` and `before_ms` are
// `recording` and `start_ms` of the last entry.
struct RecordingsFind {
  static constexpr MessageType kType = MessageType::recordings_find;
  std::string recording;  // its beginning: of a session, or of one channel of it
  std::string person;
  std::string agent;
  std::string target;
  std::string login;
  std::string address;  // its beginning
  std::string fingerprint;
  RecordingState state = RecordingState::any;
  bool hold = false;      // those under legal hold
  uint64_t since_ms = 0;  // started then or later
  uint64_t until_ms = 0;  // started before
  uint64_t before_ms = 0;
  std::string before;
  uint32_t limit = 0;  // 0: as many as one answer may have
  void fields(auto& io) {
    io(recording, person, agent, target, login, address, fingerprint, state, hold, since_ms,
       until_ms, before_ms, before, limit);
  }
};
// Administrator: the index is built anew from log, facts and files; an Answer when it stands.
struct Reindex {
  static constexpr MessageType kType = MessageType::reindex;
  void fields(auto&) {}
};
// Administrator: legal hold, on or off; an Answer when that is on disk.
struct RecordingHold {
  static constexpr MessageType kType = MessageType::recording_hold;
  std::string recording;
  bool hold = true;
  std::string reason;  // one line
  void fields(auto& io) { io(recording, hold, reason); }
};
// Administrator; an Answer when everything in it is erased.
struct RecordingsErase {
  static constexpr MessageType kType = MessageType::recordings_erase;
  std::string order;  // shared/evidence/erasure_order.h, with its signatures
  void fields(auto& io) { io(order); }
};
// Administrator: what retention wants to delete, an entry each, or deletes; then an Answer.
struct RetentionLook {
  static constexpr MessageType kType = MessageType::retention_look;
  bool delete_now = false;
  void fields(auto& io) { io(delete_now); }
};
struct DueRecording {
  static constexpr MessageType kType = MessageType::due_recording;
  std::string recording;
  std::string rule;
  void fields(auto& io) { io(recording, rule); }
};
// One channel of a session, as stored's index has it: about the recording, nothing out of it.
struct RecordingEntry {
  static constexpr MessageType kType = MessageType::recording_entry;
  std::string recording;  // "<session>-<channel>", or "<session>-<channel>k": of keystrokes
  RecordingState state = RecordingState::running;
  std::string person;
  std::string agent;  // who acted for the person
  std::string issuer;
  std::string subject;
  std::string target;
  std::string login;
  std::string address;
  std::string fingerprint;
  std::string roles;      // "operators,readers"
  std::string kind;       // "shell", "exec", "subsystem", ...
  uint64_t start_ms = 0;  // Unix
  uint64_t end_ms = 0;    // 0: not known
  uint64_t bytes = 0;     // of the file
  uint64_t frames = 0;
  std::string reason;       // of the end, one word
  std::string chain_head;   // 32 bytes; "": not known
  bool hold = false;        // must not be erased
  std::string hold_reason;  // the index has none
  bool operator==(const RecordingEntry&) const = default;
  void fields(auto& io) {
    io(recording, state, person, agent, issuer, subject, target, login, address, fingerprint, roles,
       kind, start_ms, end_ms, bytes, frames, reason, chain_head, hold, hold_reason);
  }
};

// --- witness shows the log's checkpoints to its witnesses (docs/formats/log.md)

struct WatchLog {  // witness -> stored
  static constexpr MessageType kType = MessageType::watch_log;
  void fields(auto&) {}
};
// stored -> witness: at once, and after each new checkpoint.
struct CheckpointIs {
  static constexpr MessageType kType = MessageType::checkpoint_is;
  std::string verifier;  // of the log, as LogStateIs has it
  std::string note;      // empty: nothing is signed yet
  bool last = false;     // stored goes, and waits a moment until the witnesses have it
  void fields(auto& io) { io(verifier, note, last); }
};
struct AskConsistency {  // witness -> stored
  static constexpr MessageType kType = MessageType::ask_consistency;
  uint64_t old_size = 0;
  uint64_t size = 0;  // of a checkpoint that was told
  void fields(auto& io) { io(old_size, size); }
};
struct ConsistencyIs {
  static constexpr MessageType kType = MessageType::consistency_is;
  bool ok = false;
  std::string text;                // why not
  std::vector<std::string> proof;  // 32 bytes each
  void fields(auto& io) { io(ok, text, proof); }
};
enum class WitnessAnswer : uint8_t {
  silent,   // nothing was heard of it; text says why
  nothing,  // it knows of no checkpoint, and there is none to give
  taken,    // it has taken the checkpoint of `size`; note: with its cosignature, if it makes one
  larger,   // it knows a tree of `size`, which is more than there is
  other,    // the tree of `size` that it knows is not ours
  last_ = other
};
struct WitnessSays {  // witness -> stored
  static constexpr MessageType kType = MessageType::witness_says;
  std::string name;
  WitnessAnswer answer = WitnessAnswer::silent;
  uint64_t size = 0;
  std::string note;
  std::string text;
  void fields(auto& io) { io(name, answer, size, note, text); }
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
struct Reload {  // of stored, too: erasure and retention
  static constexpr MessageType kType = MessageType::reload;
  void fields(auto&) {}
};

}  // namespace sallyport
