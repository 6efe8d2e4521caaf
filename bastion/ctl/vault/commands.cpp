// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/vault/commands.h"

#include "bastion/ctl/context.h"
#include "bastion/ctl/daemon_client.h"
#include "bastion/ctl/terminal.h"
#include "bastion/ctl/vault/key_file.h"
#include "bastion/ctl/vault/passphrase.h"
#include "shared/base/names.h"
#include "shared/base/printable.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

// The options of all five commands; each takes those it declares.
struct Options {
  std::string name;
  std::string file;
  std::string passphrase_file;
  std::string type = "ed25519";
  bool json = false;
  bool yes = false;
};

struct Opened {
  Config config;
  DaemonClient keyd;
};

Result<Opened> open_keyd(Result<Config> config) {
  if (!config) {
    return config.error();
  }
  auto keyd = DaemonClient::connect(*config, "keyd");
  if (!keyd) {
    return keyd.error();
  }
  return Opened{std::move(*config), std::move(*keyd)};
}

Status check_name(const std::string& name) {
  if (!is_valid_name(name)) {
    return Error{Errc::invalid,
                 "\"" + printable(name, 80) +
                     "\" cannot be a key's name: 1 to 64 letters, digits, '.', '_' and '-', "
                     "beginning with none of '.' and '-'"};
  }
  return ok();
}

// Longer than print_line() allows: RSA keys have up to 1500 characters.
void print_public_key(const VaultEntry& entry) {
  std::cout << printable(entry.public_key, 4000) << '\n';
}

std::string type_of(const VaultEntry& entry) {
  return entry.public_key.substr(0, entry.public_key.find(' '));
}

template <class Question>
Status print_made(const Ctl& ctl, const Question& question) {
  auto opened = open_keyd(ctl.config_of_running());
  if (!opened) {
    return opened.error();
  }
  const auto entries = opened->keyd.ask_entries<VaultEntry>(question);
  if (!entries) {
    return entries.error();
  }
  for (const VaultEntry& entry : *entries) {
    print_public_key(entry);
  }
  return ok();
}

Status run_add(const Ctl& ctl, const Options& options) {
  if (const auto good = check_name(options.name); !good) {
    return good;
  }
  const auto file = read_secret_file(options.file);
  if (!file) {
    return file.error();
  }
  auto key = read_private_key(*file, [&] {
    return options.passphrase_file.empty() ? ask_passphrase("Passphrase of " + options.file + ":")
                                           : passphrase_from_file(options.passphrase_file);
  });
  if (!key) {
    return Error{key.error().code, options.file + ": " + key.error().message};
  }
  return print_made(ctl, VaultAdd{options.name, std::move(*key)});
}

Status run_generate(const Ctl& ctl, const Options& options) {
  const auto good = check_name(options.name);
  return good ? print_made(ctl, VaultGenerate{options.name, options.type}) : good;
}

nlohmann::json to_json(const std::vector<VaultEntry>& entries) {
  auto list = nlohmann::json::array();
  for (const VaultEntry& entry : entries) {
    list.push_back({{"name", entry.name},
                    {"type", type_of(entry)},
                    {"fingerprint", entry.fingerprint},
                    {"public_key", entry.public_key},
                    {"added", utc_time(entry.added_ms)}});
  }
  return list;
}

Status run_list(const Ctl& ctl, const Options& options) {
  auto opened = open_keyd(ctl.config_of_running());
  if (!opened) {
    return opened.error();
  }
  std::string complaint;  // about files that do not open
  const auto entries = opened->keyd.ask_entries<VaultEntry>(VaultList{}, &complaint);
  if (!entries) {
    return entries.error();
  }
  if (options.json) {
    print_json(to_json(*entries));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const VaultEntry& entry : *entries) {
      rows.push_back({entry.name, type_of(entry), entry.fingerprint, utc_time(entry.added_ms)});
    }
    print_table({"NAME", "TYPE", "FINGERPRINT", "ADDED"}, rows);
  }
  return complaint.empty() ? ok() : Status(Error{Errc::corrupt, complaint});
}

Result<VaultEntry> find_entry(DaemonClient& keyd, const std::string& name) {
  const auto entries = keyd.ask_entries<VaultEntry>(VaultList{});
  if (!entries) {
    return entries.error();
  }
  const auto found = std::find_if(entries->begin(), entries->end(),
                                  [&](const auto& entry) { return entry.name == name; });
  if (found == entries->end()) {
    return Error{Errc::not_found, "the vault has no key \"" + printable(name, 80) +
                                      "\"; see: sallyportctl vault list"};
  }
  return *found;
}

Status run_public(const Ctl& ctl, const Options& options) {
  auto opened = open_keyd(ctl.config_of_running());
  if (!opened) {
    return opened.error();
  }
  const auto entry = find_entry(opened->keyd, options.name);
  if (!entry) {
    return entry.error();
  }
  print_public_key(*entry);
  return ok();
}

std::string users_of(const Config& config, const std::string& key) {
  std::string users;
  for (const auto& [name, target] : config.targets) {
    if (target.key == key) {
      users += (users.empty() ? "" : ", ") + name;
    }
  }
  return users.empty() ? "No target uses it."
                       : "Nobody will reach " + users + " until its target has another key.";
}

Status run_remove(const Ctl& ctl, const Options& options) {
  auto opened = open_keyd(ctl.config());  // which says who uses the key
  if (!opened) {
    return opened.error();
  }
  const auto entry = find_entry(opened->keyd, options.name);
  if (!entry) {
    return entry.error();
  }
  const auto confirmed = confirm("This deletes the private key " + entry->name + " (" +
                                     type_of(*entry) + ", " + entry->fingerprint + ") for good. " +
                                     users_of(opened->config, entry->name) + " Delete it?",
                                 options.yes);
  if (!confirmed) {
    return confirmed.error();
  }
  if (!*confirmed) {
    print_line("nothing was changed");
    return ok();
  }
  const auto answer = opened->keyd.ask(VaultRemove{entry->name});
  if (!answer) {
    return answer.error();
  }
  print_line(*answer);
  return ok();
}

using Run = Status (*)(const Ctl&, const Options&);

// Each command's options live as long as its callback.
CLI::App* add_command(CLI::App& vault, Ctl& ctl, const char* name, const char* text, Run run,
                      const std::shared_ptr<Options>& options) {
  CLI::App* command = vault.add_subcommand(name, text);
  command->callback(
      [&ctl, run, options] { ctl.run = [&ctl, run, options] { return run(ctl, *options); }; });
  return command;
}

}  // namespace

void add_vault_commands(CLI::App& app, Ctl& ctl) {
  CLI::App& vault = *app.add_subcommand("vault", "The private keys that open the targets");
  vault.require_subcommand(1);

  auto options = std::make_shared<Options>();
  CLI::App* add = add_command(vault, ctl, "add", "Take in a private key; print its public half",
                              run_add, options);
  add->add_option("NAME", options->name, "What the key is called in the configuration")->required();
  add->add_option("FILE", options->file, "OpenSSH private key, or PEM")->required();
  add->add_option("--passphrase-file", options->passphrase_file,
                  "Its first line is the passphrase; without it the terminal is asked");

  CLI::App* generate = add_command(vault, ctl, "generate",
                                   "Make a key that never leaves the vault; print its public half",
                                   run_generate, options);
  generate->add_option("NAME", options->name, "What the key is called in the configuration")
      ->required();
  generate->add_option("--type", options->type, "ed25519 (default), ecdsa (P-256), rsa (3072)")
      ->check(CLI::IsMember({"ed25519", "ecdsa", "rsa"}));

  CLI::App* list = add_command(vault, ctl, "list", "Show the keys", run_list, options);
  list->add_flag("--json", options->json, "As JSON");

  CLI::App* show = add_command(vault, ctl, "public", "Print a key's line for authorized_keys",
                               run_public, options);
  show->add_option("NAME", options->name)->required();

  CLI::App* remove = add_command(vault, ctl, "remove", "Delete a key", run_remove, options);
  remove->add_option("NAME", options->name)->required();
  remove->add_flag("--yes", options->yes, "Do not ask");
}

}  // namespace sallyport
