// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/init/config_text.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

namespace sallyport {

namespace {

constexpr std::string_view kTemplate =
    R"(// Sallyport's configuration: JSON with comments. Every *.json of this directory is read, in name
// order; sallyportctl keeps its targets in targets.json. Relative paths are relative to this file.
// `sallyportctl config check` tells what is wrong, `sallyportctl reload` applies a change.
{
  @SCHEMA@"node": @NODE@,  // this bastion's name in recordings
  @DEVELOPMENT@"listen": @LISTEN@,  // under systemd, sallyport-gate.socket decides instead

  "state_directory": @STATE@,
  "runtime_directory": @RUNTIME@,

  // Keep copies of these four in a safe place: without vault.key the vault cannot be opened.
  "host_keys": ["ssh_host_ed25519_key"],
  "vault": {"key_file": "vault.key"},
  "seal": {"key_file": "seal.key"},
  "jump": {"key_file": "jump.key"},

  // The identity provider; the client must be allowed to use the device flow (RFC 8628).
  "identity": {
    "issuer": @ISSUER@,
    "client_id": @CLIENT_ID@,
    // A confidential client: "basic" or "post" with "client_secret_file"; or "private_key_jwt".
    "client_authentication": "none",
    "name_claim": "email",
    "groups_claim": "groups"
  },

  "login": {
    "enrolment": "open",  // "closed": `sallyportctl keys register` comes first
    "remember_s": 28800   // a key that has logged in asks nothing again for 8 hours
  },

  // Who can read the recordings: `sallyport-play keygen` makes such a key, the auditor keeps its
  // secret half. Two are better than one: a lost key is a lost archive.
  "recording": {
    "recipients": @RECIPIENTS@
  },

  // Who reaches what. Groups come from the identity provider; targets are patterns over the names
  // that `sallyportctl target add` gives.
  "roles": {
    @ROLES@
  }
}
)";

constexpr std::string_view kDevelopmentRoles = R"("everybody": {
      "groups": ["*"],
      "targets": ["*"],
      "logins": ["*"]
    })";

constexpr std::string_view kExampleRoles = R"(// "operators": {
    //   "groups": ["ssh-operators"],
    //   "targets": ["web*", "db1"],
    //   "logins": ["root", "deploy"],
    //   "default_login": "deploy",
    //   "channels": ["shell", "exec"]
    // })";

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string quoted(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) {
    out += (out.empty() ? "" : ", ") + quoted(text);
  }
  return "[" + out + "]";
}

}  // namespace

std::string initial_config_text(const InitOptions& options) {
  const std::map<std::string_view, std::string> values = {
      {"SCHEMA", "\"$schema\": \"" SALLYPORT_DATA_DIR "/sallyport.schema.json\",\n  "},
      {"NODE", quoted(options.node)},
      {"DEVELOPMENT",
       options.development
           ? "\"development\": true,  // anybody may sign in: never for real hosts\n  "
           : ""},
      {"LISTEN", quoted(options.listen)},
      {"STATE", quoted(options.state_directory)},
      {"RUNTIME", quoted(options.runtime_directory)},
      {"ISSUER", quoted(options.issuer)},
      {"CLIENT_ID", quoted(options.client_id)},
      {"RECIPIENTS", quoted(options.recipients)},
      {"ROLES", std::string(options.development ? kDevelopmentRoles : kExampleRoles)},
  };
  // One walk over the template, so that a value with an '@' in it stays what it is.
  std::string out;
  std::string_view rest = kTemplate;
  while (true) {
    const auto begin = rest.find('@');
    out += rest.substr(0, begin);
    if (begin == std::string_view::npos) {
      return out;
    }
    const auto end = rest.find('@', begin + 1);
    out += values.at(rest.substr(begin + 1, end - begin - 1));
    rest.remove_prefix(end + 1);
  }
}

}  // namespace sallyport
