// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/reload.h"

#include "bastion/ctl/commands.h"
#include "bastion/ctl/daemon_client.h"
#include "bastion/ctl/terminal.h"
#include "shared/config/check.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

namespace sallyport {

namespace {

Result<std::string> ask_reload(const Config& config, const char* daemon) {
  auto client = DaemonClient::connect(config, daemon);
  return client ? client->ask(Reload{}) : Result<std::string>(client.error());
}

Status reload(const Ctl& ctl) {
  const auto config = ctl.config();
  if (!config) {
    return config.error();
  }
  const auto text = ask_reload(*config, "authd");
  if (!text) {
    return text.error();
  }
  // Where it does not run, it reads the change when it starts.
  if (::access(config->socket_path("stored").c_str(), F_OK) == 0) {
    if (const auto stored = ask_reload(*config, "stored"); !stored) {
      return stored.error();
    }
  }
  print_line(text->empty() ? "reloaded" : *text);
  return ok();
}

}  // namespace

std::string reload_after_change(const Ctl& ctl) {
  const auto report = check_config(ctl.config_path);
  if (!report.config) {
    return "the configuration has other errors; `sallyportctl config check` tells which";
  }
  if (::access(report.config->socket_path("authd").c_str(), F_OK) != 0) {
    return "authd does not run; it reads the change when it starts";
  }
  auto authd = DaemonClient::connect(*report.config, "authd");
  if (!authd) {
    return "not applied yet: " + authd.error().message;
  }
  const auto text = authd->ask(Reload{});
  return text ? "applied; running sessions go on" : "not applied: " + text.error().message;
}

void add_reload_command(CLI::App& app, Ctl& ctl) {
  auto* command = app.add_subcommand("reload", "Apply the changed configuration; drops nobody");
  command->callback([&ctl] { ctl.run = [&ctl] { return reload(ctl); }; });
}

}  // namespace sallyport
