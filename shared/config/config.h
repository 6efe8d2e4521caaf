// SPDX-License-Identifier: Apache-2.0
//
// The configuration: JSON with comments, one file or every *.json of a directory in name order
// (objects merge, a value that is given twice is an error). config/sallyport.schema.json is its
// published schema; an unknown key or a wrong type is an error with file, line, key and the
// nearest right name. Relative paths are relative to the file that names them.
#pragma once

#include "shared/base/result.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct IdentityConfig {
  std::string issuer;         // https://..., or http://127.0.0.1 in development
  std::string discovery_url;  // "": issuer + /.well-known/openid-configuration
  std::string client_id;
  std::string client_authentication = "none";  // none, basic, basic_raw, post, private_key_jwt
  std::string client_secret_file;              // a path; basic and post
  std::string client_key_file;                 // a path to a JWK; private_key_jwt
  std::string ca_file;
  std::string proxy;
  std::vector<std::string> scopes = {"openid", "profile", "email", "groups"};
  std::string name_claim = "email";
  std::string groups_claim = "groups";
};

struct LoginConfig {
  enum class Prompt { enter, automatic };
  enum class Enrolment { open, closed };
  Prompt prompt = Prompt::enter;  // "enter" or "auto"
  Enrolment enrolment = Enrolment::open;
  bool without_key = false;  // may a client without any key use the device flow alone?
  bool qr_code = false;
  std::chrono::seconds remember{8 * 3600};  // "remember_s"
  std::chrono::seconds deadline{180};       // "deadline_s": ours, unless the provider's is shorter
  std::chrono::seconds grace{240};          // "grace_s": a connection that has not logged in ends
};

inline constexpr uint32_t kRecordEverythingMib = 1'000'000;

// How long recordings are kept; 0: nothing is said here. bastion/stored/retention.h has what
// precedes what.
struct RetentionConfig {
  uint32_t days = 0;
  uint32_t mib = 0;  // of all of them together: the oldest go first
};

struct RoleConfig {
  std::vector<std::string> groups;   // any of these gives the role; "*" is everybody
  std::vector<std::string> targets;  // globs over the inventory
  std::vector<std::string> logins;   // exact names, or "*"
  std::string default_login;         // load_config() fills in the first of logins; "": only "*"
  std::vector<std::string> channels = {"shell", "exec", "sftp"};
  std::vector<std::string> forward_to = {"*"};  // globs of "host:port", for local-forward
  std::vector<std::string> listen_on = {"localhost:*", "127.0.0.1:*", "[::1]:*"};
  uint32_t record_streams_mib = 16;  // of what is no text on a channel; then its digest
  uint32_t record_forwards_mib = 0;  // of each forwarded connection
  bool record_keystrokes = false;    // of channels with a terminal, in a file of their own
  RetentionConfig retention{};       // "retention_days", "retention_mib"
};

struct TargetConfig {
  std::string address;                 // after load_config() always host:port or [v6]:port
  std::vector<std::string> host_keys;  // "ssh-ed25519 AAAA..."
  std::string key;                     // the name of the vault's key that opens it
  RetentionConfig retention{};
};

// Who signs orders of erasure (shared/evidence/erasure_order.h).
struct ErasureConfig {
  std::vector<std::string> approvers;  // "ssh-ed25519 AAAA...", none: root alone orders
  uint32_t approvals = 2;              // so many of them sign an order
};

// A key that signs host certificates: of the hosts whose names the patterns match, those whose
// certificate `sallyportctl target scan` finds good are pinned.
struct HostCaConfig {
  std::vector<std::string> patterns;  // as in known_hosts: '*', '?', and '!' in front for "not"
  std::string key;                    // "ssh-ed25519 AAAA..."
};

// To whom the node log's checkpoints are shown (docs/formats/log.md, "Witnesses"). After
// load_config() exactly one of file, command, syslog and url is given.
struct WitnessConfig {
  std::string file;
  std::vector<std::string> command;  // the program by its whole path, and its arguments
  bool syslog = false;
  std::string url;      // of a C2SP tlog-witness: its submission prefix
  std::string key;      // url's: "name+0a1b2c3d+base64"
  std::string ca_file;  // url's; "": the system's
  bool required = false;
  std::chrono::seconds interval{60};  // "interval_s"
};

struct Config {
  std::string path;          // where it came from
  bool development = false;  // allows the development identity provider and http
  std::string node;          // this bastion's name in recordings, at most 31 bytes
  std::vector<std::string> listen = {"0.0.0.0:2222", "[::]:2222"};
  std::vector<std::string> host_key_files;
  std::string state_directory = "/var/lib/sallyport";  // authd/ keyd/ stored/ below it
  std::string runtime_directory = "/run/sallyport";    // authd/ keyd/ stored/ below it
  std::string vault_key_file;  // mode 0600; or the systemd credential "vault.key"
  std::string jump_key_file;   // gate's, for ssh -J; "": no ssh -J
  std::string seal_key_file;   // authd's, for remembered keys; credential "seal.key"
  uint32_t max_sessions = 1000;
  uint32_t max_unauthenticated = 200;  // connections that have not logged in yet
  std::chrono::seconds idle_input{0};  // "limits.idle_input_s" and so on; 0: no limit
  std::chrono::seconds idle_output{0};
  std::chrono::seconds session_length{0};
  std::chrono::seconds keepalive{60};  // 0: none
  std::vector<std::string> ciphers;    // [] : AES-GCM alone; see docs
  std::vector<std::string> environment = {"LANG", "LC_*"};
  IdentityConfig identity;
  LoginConfig login;
  std::vector<std::string> recipients;         // recording.recipients: age1...; never empty
  std::vector<std::string> second_recipients;  // empty: one person reads a recording
  std::vector<std::string> key_recipients;     // recording.keystrokes.recipients
  std::vector<std::string> second_key_recipients;
  uint32_t reserve_mib = 512;  // recording.reserve_mib: new sessions need this much disk
  RetentionConfig retention;   // recording.retention_days, recording.retention_mib
  uint32_t keystrokes_retention_days = 0;
  ErasureConfig erasure;
  std::map<std::string, WitnessConfig> witnesses;  // log.witnesses
  std::map<std::string, RoleConfig> roles;
  std::map<std::string, TargetConfig> targets;
  std::map<std::string, HostCaConfig> host_cas;
  std::vector<std::string> revoked_host_keys;  // load_config() has taken these out of all pins

  std::string socket_path(const std::string& daemon) const {  // "authd", "keyd", "stored"
    return runtime_directory + "/" + daemon + "/socket";
  }
  // Where stored tells sallyport-witness of checkpoints.
  std::string witness_socket_path() const { return runtime_directory + "/stored/witness"; }
  std::string state_path(const std::string& daemon) const { return state_directory + "/" + daemon; }
  std::string recordings_path() const { return state_path("stored") + "/recordings"; }
  std::string log_path() const { return state_path("stored") + "/log"; }
};

// The default of every `--config`: /etc/sallyport. Error text: every finding, one per line, each
// "FILE:LINE: KEY: what is wrong; what to do".
inline constexpr const char* kDefaultConfigPath = "/etc/sallyport";
Result<Config> load_config(const std::string& path);

// Reads a 32-byte key: from $CREDENTIALS_DIRECTORY/NAME where systemd gave one, else from `file`,
// which must be a regular file of this user with mode 0600 or stricter. 64 hex digits.
class SecretBytes;
Result<SecretBytes> read_key_file(const std::string& file, const std::string& credential_name);

}  // namespace sallyport
