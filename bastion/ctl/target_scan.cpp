// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/scan_target.h"
#include "bastion/ctl/terminal.h"
#include "shared/config/values.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

struct ScanCommand {
  std::vector<std::string> names;
  bool pin = false;
  bool ca_only = false;
  bool learn = false;
  ScanOptions options;
};

// What is worst comes last: nothing, a difference, what could not be looked at, a refusal.
int worse(int a, int b) {
  constexpr int kOrder[] = {0, kScanDiffers, 1, kScanRefused};
  const auto rank = [&](int status) {
    return std::find(std::begin(kOrder), std::end(kOrder), status);
  };
  return rank(a) < rank(b) ? b : a;
}

Status complete(ScanCommand& command, const Config& config) {
  auto& options = command.options;
  options.pin = command.pin       ? ScanOptions::Pin::asked
                : command.ca_only ? ScanOptions::Pin::certified
                : command.learn   ? ScanOptions::Pin::learnt
                                  : ScanOptions::Pin::nothing;
  if (command.learn) {
    if (auto good = check_name(options.login); !good) {
      return Error{Errc::invalid, "--login " + good.error().message};
    }
  }
  if (command.names.empty()) {
    for (const auto& [name, target] : config.targets) {
      command.names.push_back(name);
    }
  }
  return ok();
}

// One target that cannot be looked at hinders no other.
Status scan(Ctl& ctl, ScanCommand command) {
  const auto config = ctl.config();
  if (!config) {
    return config.error();
  }
  if (auto good = complete(command, *config); !good) {
    return good;
  }
  auto json = nlohmann::json::array();
  std::string errors;
  for (const auto& name : command.names) {
    auto target = TargetScan::find(ctl, *config, command.options, name);
    const Status done = target ? target->run() : Status(target.error());
    const int status = target ? target->status() : 0;
    ctl.finding = worse(ctl.finding, done || status == kScanRefused ? status : 1);
    if (!done) {
      errors += (errors.empty() ? "" : "\n") + done.error().message;
    }
    if (target) {
      json.push_back(target->json());
    }
  }
  if (command.options.as_json) {
    print_json(json);
  }
  return errors.empty() ? ok() : Status(Error{Errc::denied, errors});
}

}  // namespace

void add_target_scan_command(CLI::App& target, Ctl& ctl) {
  auto command = std::make_shared<ScanCommand>();
  auto* scan_app = target.add_subcommand(
      "scan", "Compare the host keys that targets show with those that are pinned");
  scan_app->add_option("NAME", command->names, "targets, or an address; all targets where missing");
  auto* pin = scan_app->add_flag("--pin", command->pin, "pin what they show, after asking");
  auto* ca = scan_app->add_flag("--ca-only", command->ca_only,
                                "pin what a host CA of the configuration certifies; asks nothing");
  auto* learn = scan_app->add_flag("--learn", command->learn,
                                   "log in, and pin what the target announces and proves where it "
                                   "has proven a pinned key; asks nothing");
  pin->excludes(ca)->excludes(learn);
  ca->excludes(learn);
  auto* login = scan_app->add_option("--login", command->options.login,
                                     "for --learn: an account at the targets that may run `true`");
  learn->needs(login);
  login->needs(learn);
  scan_app->add_option("--identity", command->options.identity, "its key file, else ssh-agent")
      ->needs(learn);
  scan_app->add_flag("--prune", command->options.prune, "drop pins that the target does not show");
  scan_app->add_flag("--yes", command->options.yes, "do not ask");
  scan_app->add_flag("--json", command->options.as_json, "as JSON");
  scan_app->footer(
      "Exit status: 0 all that is shown is pinned, 3 some of it is not, 4 no pinned key is shown "
      "or "
      "a revoked one is, 1 an error.");
  scan_app->callback(
      [&ctl, command] { ctl.run = [&ctl, command] { return scan(ctl, *command); }; });
}

}  // namespace sallyport
