// SPDX-License-Identifier: Apache-2.0
//
// What authd, keyd and stored are asked.
#pragma once

#include "shared/base/id.h"
#include "shared/base/secret_bytes.h"
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
