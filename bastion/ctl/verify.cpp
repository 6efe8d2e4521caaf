// SPDX-License-Identifier: Apache-2.0
//
// What is verified on the bastion. There is one verifier, sallyport-play: it is told where things
// lie here, and takes the place of this process, so that its words and its exit status are ours.
#include "bastion/ctl/commands.h"
#include "bastion/ctl/log.h"
#include "bastion/ctl/terminal.h"
#include "shared/base/printable.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sallyport {

namespace {

// Beside us in a build tree; installed, from our folder to its own.
Result<std::string> find_player() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const char* place : {"sallyport-play", SALLYPORT_PLAY_FROM_CTL}) {
    const std::string path = (here / place).lexically_normal().string();
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return Error{Errc::not_found, "there is no sallyport-play beside " + printable(here.string()) +
                                    ", and it is what verifies; is Sallyport installed whole?"};
}

// Returns only an error.
Status become_player(std::vector<std::string> arguments) {
  const auto path = find_player();
  if (!path) {
    return path.error();
  }
  arguments.insert(arguments.begin(), "sallyport-play");
  std::vector<char*> argv;
  for (auto& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);  // ignored signals stay ignored in what is executed
  ::execv(path->c_str(), argv.data());
  return errno_error("cannot execute " + *path);
}

struct VerifyOptions {
  std::string id;  // unless one of these
  bool all = false;
  bool log_only = false;
  std::vector<std::string> checkpoints;
  bool as_json = false;
  bool evidence = false;  // the only form that needs no identity
  std::string output;
  // Of the same names there, in place of what is known of this bastion.
  std::vector<std::string> identities;
  std::string recordings;
  std::string log;
  std::string log_key;
};

std::string or_ours(const std::string& given, const std::string& ours) {
  return given.empty() ? ours : given;
}

// With what every command of it needs to know of this bastion.
Result<std::vector<std::string>> begin(const Ctl& ctl, const std::string& command,
                                       const VerifyOptions& options) {
  const auto config = ctl.config_of_running();
  if (!config) {
    return config.error();
  }
  std::vector<std::string> arguments = {
      command, "--recordings=" + or_ours(options.recordings, config->recordings_path()),
      "--log=" + or_ours(options.log, config->log_path())};
  if (!options.log_key.empty()) {
    arguments.push_back("--log-key=" + options.log_key);
  } else if (const auto key = log_key_if_told(*config)) {
    arguments.push_back("--log-key=" + key->text());
  }
  return arguments;
}

// What the configuration's witnesses keep in files counts without being named: a log that one of
// them contradicts is not to look proven on the bastion itself.
void add_witness_files(const Config& config, std::vector<std::string>& arguments) {
  for (const auto& [name, witness] : config.witnesses) {
    std::error_code failed;
    if (!witness.file.empty() && std::filesystem::file_size(witness.file, failed) > 0 && !failed) {
      arguments.push_back("--checkpoint=" + witness.file);
    }
  }
}

// Before the first session a timer is not to alarm anybody.
bool is_before_the_first(const Config& config, const VerifyOptions& options) {
  return options.log_only && options.log.empty() && options.checkpoints.empty() &&
         ::access((config.log_path() + "/checkpoint").c_str(), F_OK) != 0 &&
         has_signed_nothing(config);
}

Status run_verify(const Ctl& ctl, const VerifyOptions& options) {
  const auto config = ctl.config();  // one with errors is good for its folders alone
  if (config && is_before_the_first(*config, options)) {
    print_line("keyd has signed no log yet: it begins with the first session");
    return ok();
  }
  auto arguments = begin(ctl, "verify", options);
  if (!arguments) {
    return arguments.error();
  }
  for (const std::string& file : options.identities) {
    arguments->push_back("--identity=" + file);
  }
  for (const std::string& file : options.checkpoints) {
    arguments->push_back("--checkpoint=" + file);
  }
  if (config && options.log.empty()) {
    add_witness_files(*config, *arguments);
  }
  if (options.as_json) {
    arguments->push_back("--json");
  }
  if (options.all || options.log_only) {
    arguments->push_back(options.all ? "--all" : "--log-only");
  } else {
    arguments->insert(arguments->end(), {"--", options.id});
  }
  return become_player(std::move(*arguments));
}

Status run_export(const Ctl& ctl, const VerifyOptions& options) {
  auto arguments = begin(ctl, "export", options);
  if (!arguments) {
    return arguments.error();
  }
  arguments->insert(arguments->end(), {"--evidence", "--output=" + options.output});
  arguments->insert(arguments->end(), {"--", options.id});
  return become_player(std::move(*arguments));
}

void add_places(CLI::App& command, VerifyOptions& options) {
  command.add_option("--log", options.log, "another folder than that of this bastion's log")
      ->type_name("DIR");
  command
      .add_option("--log-key", options.log_key,
                  "the log's public key as you noted it, or a file that has it; keyd is not asked")
      ->type_name("KEY|FILE");
}

void add_recordings_place(CLI::App& command, VerifyOptions& options) {
  command
      .add_option("--recordings", options.recordings,
                  "another folder than that of this bastion's recordings")
      ->type_name("DIR");
}

CLI::App* add_verify(CLI::App& parent, const std::string& what, Ctl& ctl,
                     const std::shared_ptr<VerifyOptions>& options) {
  auto* verify = parent.add_subcommand("verify", what);
  verify
      ->add_option("--checkpoint", options->checkpoints,
                   "checkpoints of the log that somebody else kept; may be given more than once")
      ->allow_extra_args(false)
      ->type_name("FILE");
  verify->add_flag("--json", options->as_json, "as JSON");
  add_places(*verify, *options);
  verify->footer(
      "Done by sallyport-play, which auditors have, too. Exit status: 0 when all is proven; 1 "
      "when\n"
      "something is wrong; 3 when nothing is wrong but not everything is proven.");
  verify->callback(
      [&ctl, options] { ctl.run = [&ctl, options] { return run_verify(ctl, *options); }; });
  return verify;
}

}  // namespace

void add_log_verify_command(CLI::App& log, Ctl& ctl) {
  auto options = std::make_shared<VerifyOptions>();
  options->log_only = true;
  add_verify(log, "Say whether it is whole, and signed by our key; no recording is looked at", ctl,
             options);
}

void add_evidence_commands(CLI::App& recordings, Ctl& ctl) {
  const std::string id = "the beginning of a session's id, or a file";
  auto verifying = std::make_shared<VerifyOptions>();
  auto* verify = add_verify(recordings, "Compare them with the node log", ctl, verifying);
  auto* which = verify->add_option_group("Which");
  which->add_option("ID", verifying->id, id);
  which->add_flag("--all", verifying->all, "every one, and every one in the log");
  which->require_option(1);

  verify
      ->add_option(
          "-i,--identity", verifying->identities,
          "age identity file of an auditor, who can open them; where they take two people, "
          "once for each")
      ->allow_extra_args(false)
      ->type_name("FILE");
  add_recordings_place(*verify, *verifying);

  auto exporting = std::make_shared<VerifyOptions>();
  auto* one = recordings.add_subcommand("export", "One, for somebody else");
  one->add_option("ID", exporting->id, id)->required();
  one->add_flag("--evidence", exporting->evidence,
                "with what proves it, in one file that sallyport-play verifies")
      ->required();
  one->add_option("-o,--output", exporting->output, "a new file; - is standard output")
      ->type_name("FILE")
      ->required();
  add_places(*one, *exporting);
  add_recordings_place(*one, *exporting);
  one->callback(
      [&ctl, exporting] { ctl.run = [&ctl, exporting] { return run_export(ctl, *exporting); }; });
}

}  // namespace sallyport
