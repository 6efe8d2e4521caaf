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

Status reload(const Ctl& ctl) {
  const auto config = ctl.config();
  if (!config) {
    return config.error();
  }
  auto authd = DaemonClient::connect(*config, "authd");
  if (!authd) {
    return authd.error();
  }
  const auto text = authd->ask(Reload{});
  if (!text) {
    return text.error();
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
