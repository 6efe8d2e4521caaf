// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/daemon_client.h"
#include "bastion/ctl/terminal.h"
#include "bastion/ctl/unique_prefix.h"
#include "shared/base/printable.h"
#include "shared/config/host_key.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

constexpr std::string_view kFingerprintPrefix = "SHA256:";
constexpr const char* kListCommand = "sallyportctl keys list";

Result<DaemonClient> connect_authd(const Ctl& ctl) {
  const auto config = ctl.config_of_running();
  return config ? DaemonClient::connect(*config, "authd") : config.error();
}

Status list_keys(const Ctl& ctl, bool as_json) {
  auto authd = connect_authd(ctl);
  if (!authd) {
    return authd.error();
  }
  std::string note;
  const auto keys = authd->ask_entries<KeyEntry>(KeysList{}, &note);
  if (!keys) {
    return keys.error();
  }
  auto json = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& key : *keys) {
    json.push_back({{"fingerprint", key.fingerprint},
                    {"person", key.person},
                    {"issuer", key.issuer},
                    {"subject", key.subject},
                    {"address", key.address},
                    {"since", utc_time(key.since_ms)},
                    {"until", utc_time(key.until_ms)}});
    rows.push_back({key.fingerprint, key.person, key.address,
                    key.since_ms == 0 ? "never logged in" : utc_time(key.since_ms),
                    utc_time(key.until_ms)});
  }
  if (as_json) {
    print_json(json);
  } else {
    print_table({"KEY", "PERSON", "FROM", "SINCE", "UNTIL"}, rows);
  }
  if (!note.empty()) {
    std::cerr << "sallyportctl: " << printable(note) << '\n';
  }
  return ok();
}

// A whole fingerprint needs no list: authd may know the key though it cannot read its row.
bool is_whole_fingerprint(const std::string& text) {
  return text.size() == kFingerprintPrefix.size() + 43;
}

Result<KeyEntry> find_key(std::string wanted, const std::vector<KeyEntry>& keys) {
  if (!wanted.starts_with(kFingerprintPrefix)) {
    wanted.insert(0, kFingerprintPrefix);
  }
  if (wanted.size() == kFingerprintPrefix.size()) {
    return Error{Errc::invalid, "give the key's fingerprint"};
  }
  std::vector<std::string> fingerprints;
  for (const auto& key : keys) {
    fingerprints.push_back(key.fingerprint);
  }
  const auto at = find_unique_prefix(wanted, fingerprints, "key", kListCommand);
  if (at) {
    return keys[*at];
  }
  KeyEntry unlisted;
  unlisted.fingerprint = wanted;
  return is_whole_fingerprint(wanted) ? Result<KeyEntry>(unlisted) : at.error();
}

Status revoke_key(const Ctl& ctl, const std::string& wanted, bool yes) {
  auto authd = connect_authd(ctl);
  if (!authd) {
    return authd.error();
  }
  const auto keys = authd->ask_entries<KeyEntry>(KeysList{});
  if (!keys) {
    return keys.error();
  }
  const auto key = find_key(wanted, *keys);
  if (!key) {
    return key.error();
  }
  const auto agreed =
      confirm("Revoke the key " + key->fingerprint +
                  (key->person.empty() ? ", which is not listed" : " of " + key->person) +
                  "? Sessions that it opened end.",
              yes);
  if (!agreed) {
    return agreed.error();
  }
  if (!*agreed) {
    return Error{Errc::denied, "nothing was revoked"};
  }
  const auto text = authd->ask(KeyRevoke{key->fingerprint});
  if (!text) {
    return text.error();
  }
  print_line(text->empty() ? "revoked " + key->fingerprint : *text);
  return ok();
}

Result<PublicKeyLine> read_public_key(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return errno_error("reading " + path);
  }
  for (std::string line; std::getline(file, line) && line.size() < 16384;) {
    if (line.starts_with("-----BEGIN")) {
      return Error{Errc::invalid,
                   path + " is a private key; give the public one, usually the same with .pub"};
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos || line.starts_with('#')) {
      continue;
    }
    auto key = parse_public_key_line(line, KeyOf::person);
    return key ? std::move(key) : Error{Errc::invalid, path + " " + key.error().message};
  }
  return Error{Errc::invalid, path + " holds no public key"};
}

Status register_key(const Ctl& ctl, const std::string& path, const std::string& person) {
  const auto key = read_public_key(path);
  if (!key) {
    return key.error();
  }
  auto authd = connect_authd(ctl);
  if (!authd) {
    return authd.error();
  }
  const auto text = authd->ask(KeyRegister{key->text(), person});
  if (!text) {
    return text.error();
  }
  print_line(text->empty() ? "registered " + key->fingerprint() + " for " + person : *text);
  return ok();
}

}  // namespace

void add_key_commands(CLI::App& app, Ctl& ctl) {
  auto* keys = app.add_subcommand("keys", "The SSH keys that are remembered for people");
  keys->require_subcommand(1);

  auto as_json = std::make_shared<bool>(false);
  auto* list = keys->add_subcommand("list", "List them");
  list->add_flag("--json", *as_json, "as JSON");
  list->callback(
      [&ctl, as_json] { ctl.run = [&ctl, as_json] { return list_keys(ctl, *as_json); }; });

  auto fingerprint = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  auto* revoke =
      keys->add_subcommand("revoke", "Forget one: its sessions end, and its next login asks again");
  revoke->add_option("FINGERPRINT", *fingerprint, "SHA256:..., or its beginning")->required();
  revoke->add_flag("--yes", *yes, "do not ask");
  revoke->callback([&ctl, fingerprint, yes] {
    ctl.run = [&ctl, fingerprint, yes] { return revoke_key(ctl, *fingerprint, *yes); };
  });

  auto file = std::make_shared<std::string>();
  auto person = std::make_shared<std::string>();
  auto* add = keys->add_subcommand("register", "Bind a key to a person before the first login");
  add->add_option("PUBKEYFILE", *file, "a public key, for example id_ed25519.pub")->required();
  add->add_option("PERSON", *person, "as the identity provider names them, or subject:...")
      ->required();
  add->callback([&ctl, file, person] {
    ctl.run = [&ctl, file, person] { return register_key(ctl, *file, *person); };
  });
}

}  // namespace sallyport
