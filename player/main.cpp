// SPDX-License-Identifier: Apache-2.0
//
// sallyport-play: the auditor's side. Two processes:
//
//   sallyport-play          reader and front. Holds the identity, the data key and the auditor's
//                           terminal; parses BREC frames and asciicast JSON; never looks at an
//                           escape sequence. Draws cells through ncurses.
//   sallyport-play-screen   the emulator. Parses what was recorded; sandboxed, without a file, a
//                           key or a terminal (screen_main.cpp, screen_protocol.h).
//
// So the process that is exposed to recorded escape sequences has nothing to give, and the one with
// the terminal sees nothing but cells that it checks.
#include "player/commands.h"
#include "player/locate.h"
#include "player/messages.h"
#include "player/settings.h"
#include "shared/base/log.h"
#include "shared/base/output.h"
#include "shared/ipc/sandbox.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace sallyport;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNotAllProven = 3;

struct Arguments {
  std::string name;
  std::vector<std::string> names;  // of rewrap
  bool all = false;
  RewrapOptions rewrap;
  SettingsOptions options;
  std::string format;
  std::string output;
  VerifyRequest verify;
};

const std::map<std::string, ExportFormat> kFormats = {{"cast2", ExportFormat::cast2},
                                                      {"cast3", ExportFormat::cast3},
                                                      {"text", ExportFormat::text},
                                                      {"evidence", ExportFormat::evidence},
                                                      {"stdin", ExportFormat::standard_input},
                                                      {"stdout", ExportFormat::standard_output},
                                                      {"stderr", ExportFormat::standard_error}};

void add_common(CLI::App& app, Arguments& arguments) {
  app.add_option("-i,--identity", arguments.options.identities,
                 "age identity file of the auditor; where a recording takes two people, once for "
                 "each")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--recordings", arguments.options.recordings, "folder in which an ID is looked up")
      ->type_name("DIR");
}

CLI::Option* add_name(CLI::App& app, Arguments& arguments) {
  return app
      .add_option("recording", arguments.name,
                  "a file, or the beginning of a session's id (at least 6 digits); with k behind "
                  "it what was typed")
      ->type_name("FILE|ID");
}

void add_recording(CLI::App& app, Arguments& arguments, bool required) {
  auto* name = add_name(app, arguments);
  if (required) {
    name->required();
  }
  add_common(app, arguments);
}

void add_log(CLI::App& app, Arguments& arguments) {
  app.add_option("--log", arguments.options.log,
                 "folder of the node log; without it \"log\" beside the recordings' folder")
      ->type_name("DIR");
  app.add_option("--log-key", arguments.options.log_key,
                 "the log's public key (`sallyportctl log key`), or a file that has it")
      ->type_name("KEY|FILE");
}

void add_verify(CLI::App& app, Arguments& arguments) {
  auto* name = add_name(app, arguments);
  auto* all = app.add_flag("--all", arguments.verify.all,
                           "every recording of the folder, and every one in the log");
  all->excludes(name);
  app.add_flag("--log-only", arguments.verify.log_only,
               "the log alone: its entries, signature, heads files and orders; no recording")
      ->excludes(name)
      ->excludes(all);
  add_common(app, arguments);
  add_log(app, arguments);
  app.add_option("--checkpoint", arguments.verify.checkpoints,
                 "checkpoints of the log that somebody else kept; may be given more than once")
      ->allow_extra_args(false)
      ->type_name("FILE");
  app.add_flag("--json", arguments.verify.json, "one JSON object instead of words");
  app.footer(
      "Exit status: 0 when everything is proven; 1 when something is wrong: changed, missing or "
      "not\nto be read; 3 when nothing is wrong but not everything is proven: no identity, no log "
      "or not\nits key, or a recording that still runs");
}

int failed(const Error& error) {
  print_message(error.message);
  return kFailed;
}

Result<int> status_of(const Status& done) {
  return done ? Result(0) : done.error();
}

Result<int> verified(Arguments& arguments, const Settings& settings) {
  arguments.verify.name = arguments.name;
  arguments.verify.settings = settings;
  const Result<Proof> proof = verify(arguments.verify);
  if (!proof) {
    return proof.error();
  }
  return *proof == Proof::whole ? 0 : *proof == Proof::wrong ? kFailed : kNotAllProven;
}

Result<int> with_recording(Arguments& arguments, const CLI::App& app) {
  const Result<Settings> settings = read_settings(arguments.options);
  if (!settings) {
    return settings.error();
  }
  if (app.got_subcommand("verify")) {
    return verified(arguments, *settings);
  }
  if (app.got_subcommand("export") && arguments.format == "evidence") {
    return status_of(export_evidence(arguments.name, *settings, arguments.output));
  }
  const Result<std::string> path = locate_recording(arguments.name, settings->recordings);
  if (!path) {
    return path.error();
  }
  if (app.got_subcommand("export")) {
    return status_of(export_recording(*path, settings->identities, kFormats.at(arguments.format),
                                      arguments.output));
  }
  return status_of(play(*path, settings->identities));
}

void add_rewrap(CLI::App& app, Arguments& arguments) {
  app.add_option("recordings", arguments.names,
                 "files, or the beginnings of sessions' ids (at least 6 digits)")
      ->type_name("FILE|ID");
  app.add_flag("--all", arguments.all,
               "every recording in the folder; erased ones are left out, and so are those of "
               "keystrokes, which have recipients of their own (name them)");
  app.add_option(
         "--to", arguments.rewrap.to,
         "who can open it then: an age recipient, as in recording.recipients; once for each")
      ->type_name("age1...")
      ->allow_extra_args(false)
      ->required();
  app.add_option("--second", arguments.rewrap.second,
                 "makes it take two people: a recipient of the second one, as in "
                 "recording.second_recipients; once for each")
      ->type_name("age1...")
      ->allow_extra_args(false);
  add_common(app, arguments);
  app.footer(
      "Opens the data key with your identity (of a recording for two people: with both) and "
      "writes\n"
      "an envelope for the new recipients over the old one. Frames, chain head, size, owner and\n"
      "times of the file stay as they are, so `verify` says the same before and after; rewrap\n"
      "itself reads no frame and proves nothing. A damaged recording is re-wrapped like any "
      "other.\n"
      "While it works the old header is in FILE.rewrap; after a crash run the same command again.\n"
      "Copies and backups made before still open for those who could open them.\n"
      "Exit status: 0 when all were re-wrapped; 1 when one was not, which is named.");
}

Result<int> with_recordings(Arguments& arguments) {
  const Result<Settings> settings = read_settings(arguments.options);
  if (!settings) {
    return settings.error();
  }
  if (arguments.all != arguments.names.empty()) {
    return Error{Errc::invalid, "name the recordings, FILE or ID, or all of a folder with --all"};
  }
  RewrapOptions& options = arguments.rewrap;
  options.skip_erased = arguments.all;
  for (const std::string& name : arguments.names) {
    const Result<std::string> path = locate_recording(name, settings->recordings);
    if (!path) {
      return path.error();
    }
    options.recordings.push_back(*path);
  }
  if (arguments.all) {
    auto all = all_recordings(settings->recordings, RecordingPart::channel);
    if (!all) {
      return all.error();
    }
    options.recordings = std::move(*all);
  }
  return status_of(rewrap(options, settings->identities));
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Plays, exports, verifies and re-wraps recorded sessions", "sallyport-play");
  app.set_version_flag("--version", SALLYPORT_VERSION);
  add_recording(app, arguments, false);
  auto* exporting = app.add_subcommand("export", "Write a file that others can read");
  add_recording(*exporting, arguments, true);
  auto* format = exporting->add_option("--format", arguments.format,
                                       "cast2, cast3, text; the exact bytes of stdin, stdout, "
                                       "stderr; or evidence");
  format->check(CLI::IsMember(&kFormats))->type_name("");
  exporting
      ->add_flag_callback(
          "--evidence", [&arguments] { arguments.format = "evidence"; },
          "the recording and what proves it, in one file that verify takes anywhere")
      ->excludes(format);
  add_log(*exporting, arguments);
  exporting->add_option("-o,--output", arguments.output, "a new file; standard output without it")
      ->type_name("FILE");
  auto* verifying = app.add_subcommand("verify", "Say what is proven about a recording, or all");
  add_verify(*verifying, arguments);
  auto* rewrapping = app.add_subcommand("rewrap", "Change who can read recordings");
  add_rewrap(*rewrapping, arguments);
  auto* generating = app.add_subcommand("keygen", "Make an age identity for an auditor");
  generating->add_option("-o,--output", arguments.output, "a new file for the identity (0600)")
      ->type_name("FILE");
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (arguments.name.empty() && app.get_subcommands().empty()) {
    std::fprintf(stderr, "sallyport-play: name a recording: FILE or ID; --help says more\n");
    return kUsage;
  }
  if (app.got_subcommand(verifying) && arguments.name.empty() && !arguments.verify.all &&
      !arguments.verify.log_only) {
    std::fprintf(stderr, "sallyport-play: name a recording, FILE or ID, or --all, or --log-only\n");
    return kUsage;
  }
  if (app.got_subcommand(exporting) && arguments.format.empty()) {
    std::fprintf(stderr, "sallyport-play: name a --format, or --evidence; --help says more\n");
    return kUsage;
  }
  const Result<int> done = app.got_subcommand(generating)   ? status_of(keygen(arguments.output))
                           : app.got_subcommand(rewrapping) ? with_recordings(arguments)
                                                            : with_recording(arguments, app);
  return done ? *done : failed(done.error());
}

}  // namespace

int main(int argc, char** argv) {
  log_start("play");
  harden_process();  // a core or a debugger would see the data key
  const int status = run(argc, argv);
  const Status written = flush_output();
  return written ? status : failed(written.error());
}
