// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/keyscan.h"
#include "bastion/ctl/reload.h"
#include "bastion/ctl/targets_file.h"
#include "bastion/ctl/terminal.h"
#include "shared/config/check.h"
#include "shared/config/nearest.h"
#include "shared/config/values.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

struct AddOptions {
  std::string name;
  std::string address;
  std::string key;
  std::vector<std::string> host_keys;
  bool scan = false;
  bool yes = false;
};

// What CLI11 has left as text becomes what the configuration would accept.
Status check_options(AddOptions& options) {
  std::vector<std::pair<std::string*, ValueCheck>> checks = {
      {&options.name, check_name}, {&options.address, check_target_address}};
  if (!options.key.empty()) {
    checks.emplace_back(&options.key, check_name);
  }
  for (auto& host_key : options.host_keys) {
    checks.emplace_back(&host_key, check_host_key);
  }
  for (const auto& [value, check] : checks) {
    if (auto good = check(*value); !good) {
      return Error{Errc::invalid, "\"" + *value + "\" " + good.error().message};
    }
  }
  return ok();
}

// The keys that a host CA of the configuration certifies, which nobody need be asked about.
Result<std::vector<std::string>> scan_certified(const Ctl& ctl, const AddOptions& options,
                                                const HostPort& address) {
  std::vector<std::string> out;
  const auto report = check_config(ctl.config_path);
  const auto certified = scan_certified_keys(
      report.config ? report.config->host_cas : std::map<std::string, HostCaConfig>{}, options.name,
      address);
  if (!certified) {
    return certified.error();
  }
  for (const auto& note : certified->notes) {
    print_line("  " + note);
  }
  for (const auto& key : certified->keys) {
    const auto& revoked = report.config->revoked_host_keys;
    if (std::find(revoked.begin(), revoked.end(), key.text()) == revoked.end()) {
      out.push_back(key.text());
    }
  }
  return out;
}

// Shows what the target offers and lets a person decide.
Status scan_and_ask(const Ctl& ctl, AddOptions& options) {
  const auto address = parse_host_port(options.address, 0);
  if (!address) {
    return address.error();
  }
  auto certified = scan_certified(ctl, options, *address);
  if (!certified) {
    return certified.error();
  }
  if (!certified->empty()) {
    options.host_keys = std::move(*certified);
    return ok();
  }
  const auto keys = scan_host_keys(*address);
  if (!keys) {
    return keys.error();
  }
  print_line("Host keys of " + options.address + ":");
  for (const auto& key : *keys) {
    print_line("  " + key.type + "  " + key.fingerprint());
    options.host_keys.push_back(key.text());
  }
  const auto agreed =
      confirm("Compare them with what the host itself says. Pin them?", options.yes);
  if (!agreed) {
    return agreed.error();
  }
  return *agreed ? ok() : Status(Error{Errc::denied, "not pinned; nothing was changed"});
}

Status confirm_replacing(const TargetConfig& old, const AddOptions& options) {
  const auto agreed = confirm("\"" + options.name + "\" is there already (" + old.address +
                                  "). Replace its address, host keys and key?",
                              options.yes);
  if (!agreed) {
    return agreed.error();
  }
  return *agreed ? ok() : Status(Error{Errc::denied, "nothing was changed"});
}

Status add_target(const Ctl& ctl, AddOptions options) {
  if (auto good = check_options(options); !good) {
    return good;
  }
  if (options.scan) {
    if (auto agreed = scan_and_ask(ctl, options); !agreed) {
      return agreed;
    }
  }
  auto file = TargetsFile::open(ctl.config_path);
  if (!file) {
    return file.error();
  }
  if (auto old = file->targets().find(options.name); old != file->targets().end()) {
    if (auto agreed = confirm_replacing(old->second, options); !agreed) {
      return agreed;
    }
  }
  file->targets()[options.name] = {options.address, options.host_keys, options.key};
  if (auto saved = file->save(); !saved) {
    return saved;
  }
  print_line("added " + options.name + " to " + file->path() + "; " + reload_after_change(ctl));
  if (options.host_keys.empty()) {
    print_line("warning: no host key is pinned, so " + options.name +
               " is refused; add it again with --scan or --host-key");
  }
  if (options.key.empty()) {
    print_line("warning: no key of the vault opens it; add it again with --key NAME");
  }
  return ok();
}

std::vector<std::string> names_of(const std::map<std::string, TargetConfig>& targets) {
  std::vector<std::string> names;
  names.reserve(targets.size());
  for (const auto& [name, target] : targets) {
    names.push_back(name);
  }
  return names;
}

// An unknown name may be one of the files that people write, which are not ours to change.
Error unknown_target(const Ctl& ctl, const TargetsFile& file, const std::string& name) {
  const auto report = check_config(ctl.config_path);
  if (report.config && report.config->targets.contains(name)) {
    return Error{Errc::invalid, "\"" + name + "\" is not in " + file.path() +
                                    " but in another file of " + ctl.config_path +
                                    "; remove it there, then `sallyportctl reload`"};
  }
  const auto known = report.config ? names_of(report.config->targets) : std::vector<std::string>{};
  return Error{Errc::not_found, "there is no target \"" + name + "\"" + did_you_mean(name, known)};
}

Status remove_target(const Ctl& ctl, const std::string& name, bool yes) {
  auto file = TargetsFile::open(ctl.config_path);
  if (!file) {
    return file.error();
  }
  if (!file->targets().contains(name)) {
    return unknown_target(ctl, *file, name);
  }
  const auto agreed = confirm(
      "Remove " + name + " (" + file->targets()[name].address + ")? Nobody reaches it then.", yes);
  if (!agreed) {
    return agreed.error();
  }
  if (!*agreed) {
    return Error{Errc::denied, "nothing was changed"};
  }
  file->targets().erase(name);
  if (auto saved = file->save(); !saved) {
    return saved;
  }
  print_line("removed " + name + "; " + reload_after_change(ctl));
  return ok();
}

std::vector<std::string> fingerprints(const TargetConfig& target) {
  std::vector<std::string> out;
  for (const auto& line : target.host_keys) {
    if (auto key = parse_public_key_line(line)) {
      out.push_back(key->fingerprint());
    }
  }
  return out;
}

Status list_targets(const Ctl& ctl, bool as_json) {
  const auto config = ctl.config();
  if (!config) {
    return config.error();
  }
  auto json = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, target] : config->targets) {
    const auto prints = fingerprints(target);
    json.push_back({{"name", name},
                    {"address", target.address},
                    {"key", target.key},
                    {"host_keys", target.host_keys},
                    {"fingerprints", prints}});
    const std::string more =
        prints.size() > 1 ? " and " + std::to_string(prints.size() - 1) + " more" : "";
    rows.push_back({name, target.address, target.key.empty() ? "-" : target.key,
                    prints.empty() ? "none pinned" : prints[0] + more});
  }
  if (as_json) {
    print_json(json);
  } else {
    print_table({"NAME", "ADDRESS", "KEY", "HOST KEY"}, rows);
  }
  return ok();
}

void add_add_command(CLI::App& target, Ctl& ctl) {
  auto options = std::make_shared<AddOptions>();
  auto* add = target.add_subcommand("add", "Add a target, or replace one");
  add->add_option("NAME", options->name, "what people type")->required();
  add->add_option("ADDRESS", options->address, "host, host:port or [v6]:port")->required();
  add->add_option("--key", options->key, "the vault's key that opens it");
  auto* scan = add->add_flag("--scan", options->scan, "ask the target for its host keys");
  add->add_option("--host-key", options->host_keys, "pin this one: \"ssh-ed25519 AAAA...\"")
      ->excludes(scan)
      ->allow_extra_args(false);
  add->add_flag("--yes", options->yes, "do not ask");
  add->callback(
      [&ctl, options] { ctl.run = [&ctl, options] { return add_target(ctl, *options); }; });
}

}  // namespace

void add_target_commands(CLI::App& app, Ctl& ctl) {
  auto* target = app.add_subcommand("target", "The hosts that can be reached");
  target->require_subcommand(1);
  add_add_command(*target, ctl);
  add_target_scan_command(*target, ctl);
  add_target_import_command(*target, ctl);

  auto as_json = std::make_shared<bool>(false);
  auto* list = target->add_subcommand("list", "List them");
  list->add_flag("--json", *as_json, "as JSON");
  list->callback(
      [&ctl, as_json] { ctl.run = [&ctl, as_json] { return list_targets(ctl, *as_json); }; });

  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  auto* remove = target->add_subcommand("remove", "Remove one that `target add` added");
  remove->add_option("NAME", *name)->required();
  remove->add_flag("--yes", *yes, "do not ask");
  remove->callback([&ctl, name, yes] {
    ctl.run = [&ctl, name, yes] { return remove_target(ctl, *name, *yes); };
  });
}

}  // namespace sallyport
