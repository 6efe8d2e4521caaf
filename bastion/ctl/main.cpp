// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/vault/commands.h"
#include "shared/base/output.h"
#include "shared/base/printable.h"
#include "shared/config/nearest.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;

namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// An error may be several lines: the findings of a configuration.
void print_error(const std::string& message) {
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    std::cerr << "sallyportctl: " << printable(line, 2000) << '\n';
  }
}

const CLI::App& last_named(const CLI::App& app) {
  const auto named = app.get_subcommands();
  return named.empty() ? app : last_named(*named.front());
}

// "--since ''" is a variable of a script that was not set, and never meant; "--since=" would take
// the next word for its value.
std::optional<std::string> empty_argument(std::span<char* const> arguments) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view before = arguments[i - 1];
    const std::string_view argument = arguments[i];
    if (argument.empty()) {
      return (before.starts_with('-') ? "the value of " + std::string(before)
                                      : "argument " + std::to_string(i)) +
             " is empty";
    }
    if (argument == "--") {
      return std::nullopt;
    }
    if (argument.starts_with("--") && argument.ends_with('=')) {
      return "the value of " + std::string(argument.substr(0, argument.size() - 1)) + " is empty";
    }
  }
  return std::nullopt;
}

// What is required where a subcommand stands that is none.
std::string what_is_missing(const CLI::App& app, const CLI::Error& error) {
  const CLI::App& last = last_named(app);
  const auto unknown = app.remaining(true);
  std::vector<std::string> names;
  for (const CLI::App* one : last.get_subcommands({})) {
    names.push_back(one->get_name());
  }
  return unknown.empty() || names.empty()
             ? error.what()
             : "\"" + printable(unknown.front(), 80) + "\" is no command" +
                   did_you_mean(unknown.front(), names);
}

int run(int argc, char** argv) {
  if (const auto empty = empty_argument({argv, static_cast<size_t>(argc)})) {
    print_error(*empty + "; name one, or leave it out");
    return kUsage;
  }
  CLI::App app{"Administers a Sallyport bastion"};
  Ctl ctl;
  app.add_option("--config", ctl.config_path, "configuration file or directory")
      ->capture_default_str();
  app.set_version_flag("--version", "sallyportctl " SALLYPORT_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  add_init_command(app, ctl);
  add_config_commands(app, ctl);
  add_target_commands(app, ctl);
  add_vault_commands(app, ctl);
  add_session_commands(app, ctl);
  add_key_commands(app, ctl);
  add_recording_commands(app, ctl);
  add_log_commands(app, ctl);
  add_known_hosts_command(app, ctl);
  add_reload_command(app, ctl);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    std::cerr << "sallyportctl: " << what_is_missing(app, error) << "\n\n"
              << last_named(app).help();
    return kUsage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  const Status done = ctl.run();
  if (!done) {
    print_error(done.error().message);
    return ctl.finding != 0 ? ctl.finding : kFailed;
  }
  return ctl.finding;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const int status = run(argc, argv);
  if (const Status written = flush_output(); !written) {
    print_error(written.error().message);
    return kFailed;
  }
  return status;
}
