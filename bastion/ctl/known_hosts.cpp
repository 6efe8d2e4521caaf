// SPDX-License-Identifier: Apache-2.0
//
// For the known_hosts of those who use ssh -J: the keys that the bastion shows for its targets.
#include "bastion/ctl/commands.h"
#include "bastion/ctl/terminal.h"
#include "shared/config/address.h"
#include "shared/ssh/jump_host_key.h"

#include <CLI/CLI.hpp>

namespace sallyport {

namespace {

// The names under which a client looks for the key (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
std::string host_names(const std::string& name, const TargetConfig& target) {
  const auto endpoint = parse_host_port(target.address, kSshPort);
  std::string names = name;
  if (!endpoint) {
    return names;
  }
  const bool is_usual = endpoint->port == 22;
  names += is_usual ? "" : ",[" + name + "]:" + std::to_string(endpoint->port);
  if (endpoint->host != name) {
    names += is_usual ? "," + endpoint->host
                      : ",[" + endpoint->host + "]:" + std::to_string(endpoint->port);
  }
  return names;
}

Status print_known_hosts(const Ctl& ctl) {
  const auto config = ctl.config();
  if (!config) {
    return config.error();
  }
  if (config->jump_key_file.empty()) {
    return Error{
        Errc::not_found,
        "jump.key_file is not set, so this bastion does not serve ssh -J: make a file with "
        "`openssl rand -hex 32`, mode 0600, owned by the user sallyport, and name it there"};
  }
  const auto secret = read_key_file(config->jump_key_file, "jump.key");
  if (!secret) {
    return secret.error();
  }
  for (const auto& [name, target] : config->targets) {
    const auto key = jump_public_key(secret->span(), name);
    if (!key) {
      return key.error();
    }
    print_line(host_names(name, target) + " " + *key);
  }
  return ok();
}

}  // namespace

void add_known_hosts_command(CLI::App& app, Ctl& ctl) {
  auto* command = app.add_subcommand(
      "known-hosts", "Print known_hosts lines for the targets as ssh -J shows them");
  command->callback([&ctl] { ctl.run = [&ctl] { return print_known_hosts(ctl); }; });
}

}  // namespace sallyport
