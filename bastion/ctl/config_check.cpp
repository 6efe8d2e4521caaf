// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/terminal.h"
#include "shared/config/check.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>

namespace sallyport {

namespace {

std::string count(size_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

void warn_if_missing(const std::string& key, const std::string& path) {
  if (!path.empty() && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    print_line("warning: " + key + ": " + path + " does not exist");
  }
}

// The files that a configuration names may be out of this user's sight; only those that are surely
// missing are told.
void warn_of_missing_files(const Config& config) {
  for (const auto& file : config.host_key_files) {
    warn_if_missing("host_keys", file);
  }
  warn_if_missing("vault.key_file", config.vault_key_file);
  warn_if_missing("seal.key_file", config.seal_key_file);
  warn_if_missing("jump.key_file", config.jump_key_file);
  warn_if_missing("identity.client_secret_file", config.identity.client_secret_file);
  warn_if_missing("identity.client_key_file", config.identity.client_key_file);
  warn_if_missing("identity.ca_file", config.identity.ca_file);
}

std::string second_recipients(const Config& config) {
  return config.second_recipients.empty()
             ? ""
             : " and " + count(config.second_recipients.size(), "second recipient");
}

std::string key_recipients(const Config& config) {
  return config.key_recipients.empty()
             ? ""
             : ", " + count(config.key_recipients.size(), "recipient") + " of keystrokes";
}

Status check(const Ctl& ctl) {
  const auto report = check_config(ctl.config_path);
  for (const auto& error : report.errors) {
    print_line(error.line());
  }
  for (const auto& warning : report.warnings) {
    print_line("warning: " + warning.line());
  }
  if (!report.config) {
    return Error{Errc::invalid, count(report.errors.size(), "error") + " in the configuration"};
  }
  const Config& config = *report.config;
  warn_of_missing_files(config);
  print_line("OK: " + config.path + ": node " + config.node + ", issuer " + config.identity.issuer +
             ", " + count(config.recipients.size(), "recipient") + second_recipients(config) +
             key_recipients(config) + ", " + count(config.roles.size(), "role") + ", " +
             count(config.targets.size(), "target"));
  return ok();
}

}  // namespace

void add_config_commands(CLI::App& app, Ctl& ctl) {
  auto* config = app.add_subcommand("config", "The configuration")->require_subcommand(1);
  auto* command = config->add_subcommand("check", "Tell everything that is wrong with it");
  command->callback([&ctl] { ctl.run = [&ctl] { return check(ctl); }; });
}

}  // namespace sallyport
