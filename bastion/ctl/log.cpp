// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/log.h"

#include "bastion/ctl/commands.h"
#include "bastion/ctl/daemon_client.h"
#include "bastion/ctl/log_export.h"
#include "bastion/ctl/terminal.h"
#include "shared/base/printable.h"
#include "shared/base/whole_file.h"
#include "shared/evidence/checkpoint.h"
#include "shared/evidence/tiles.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace sallyport {

namespace {

Result<LogStateIs> ask_state(const Config& config) {
  auto keyd = DaemonClient::connect(config, "keyd");
  return keyd ? keyd->ask_one<LogStateIs>(LogState{}) : keyd.error();
}

Result<NoteVerifier> ask_verifier(const Config& config) {
  const auto state = ask_state(config);
  return state ? parse_note_verifier(state->verifier) : state.error();
}

Status print_key(const Ctl& ctl) {
  const auto config = ctl.config_of_running();
  const auto verifier = config ? ask_verifier(*config) : Result<NoteVerifier>(config.error());
  if (!verifier) {
    return verifier.error();
  }
  print_line(verifier->text());
  return ok();
}

Result<std::string> read_checkpoint(const std::string& path) {
  auto note = read_file(path, kMaxNoteBytes);
  if (!note && note.error().code == Errc::not_found) {
    return Error{Errc::not_found, "there is no checkpoint yet (" + path +
                                      "): one is signed a second after the first recording begins"};
  }
  return note;
}

// The file as it is, so that it can be kept elsewhere, but only what our key has signed.
Status print_checkpoint(const Ctl& ctl) {
  const auto config = ctl.config_of_running();
  const auto verifier = config ? ask_verifier(*config) : Result<NoteVerifier>(config.error());
  if (!verifier) {
    return verifier.error();
  }
  const std::string path = config->log_path() + "/checkpoint";
  const auto note = read_checkpoint(path);
  if (!note) {
    return note.error();
  }
  if (const auto checkpoint = open_checkpoint(*note, *verifier); !checkpoint) {
    return Error{checkpoint.error().code, path + ": " + checkpoint.error().message};
  }
  std::cout << *note;
  return ok();
}

Status print_export(const Ctl& ctl, const std::string& folder) {
  const auto config = ctl.config_of_running();
  if (!config) {
    return config.error();
  }
  const auto exported =
      export_log({config->log_path(), config->state_directory, log_key_if_told(*config), folder});
  if (!exported) {
    return exported.error();
  }
  for (const std::string& line : exported->left_out) {
    std::cerr << "sallyportctl: " << printable(line) << '\n';
  }
  print_line(folder + " has " + std::to_string(exported->size) + " entries of the log, " +
             std::to_string(exported->size - exported->size_before) + " of them new");
  return ok();
}

}  // namespace

std::optional<NoteVerifier> log_key_if_told(const Config& config) {
  const auto verifier = ask_verifier(config);
  if (!verifier) {
    std::cerr << "sallyportctl: the log's key is not known: "
              << printable(verifier.error().message, 1000) << '\n';
  }
  return verifier ? std::optional(*verifier) : std::nullopt;
}

bool has_signed_nothing(const Config& config) {
  const auto state = ask_state(config);
  return state && state->note.empty() && state->text.empty();
}

void add_log_commands(CLI::App& app, Ctl& ctl) {
  auto* log = app.add_subcommand("log", "The node log: what was recorded, and can be proven");
  log->require_subcommand(1);
  auto* key = log->add_subcommand("key", "Print the key that its checkpoints verify with");
  key->callback([&ctl] { ctl.run = [&ctl] { return print_key(ctl); }; });
  auto* checkpoint = log->add_subcommand("checkpoint", "Print the latest signed checkpoint");
  checkpoint->callback([&ctl] { ctl.run = [&ctl] { return print_checkpoint(ctl); }; });
  add_log_verify_command(*log, ctl);
  auto folder = std::make_shared<std::string>();
  auto* exporting = log->add_subcommand(
      "export", "Copy it, up to the latest checkpoint, for others to keep and to verify");
  exporting
      ->add_option("DIR", *folder, "a new folder, or one with an older copy: what is new is added")
      ->required();
  exporting->callback(
      [&ctl, folder] { ctl.run = [&ctl, folder] { return print_export(ctl, *folder); }; });
}

}  // namespace sallyport
