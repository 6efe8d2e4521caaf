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

namespace {

using namespace sallyport;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNotAllProven = 3;

struct Arguments {
  std::string name;
  SettingsOptions options;
  std::string format;
  std::string output;
};

const std::map<std::string, ExportFormat> kFormats = {{"cast2", ExportFormat::cast2},
                                                      {"cast3", ExportFormat::cast3},
                                                      {"text", ExportFormat::text},
                                                      {"stdin", ExportFormat::standard_input},
                                                      {"stdout", ExportFormat::standard_output},
                                                      {"stderr", ExportFormat::standard_error}};

void add_common(CLI::App& app, Arguments& arguments) {
  app.add_option("-i,--identity", arguments.options.identity, "age identity file of the auditor")
      ->type_name("FILE");
  app.add_option("--recordings", arguments.options.recordings, "folder in which an ID is looked up")
      ->type_name("DIR");
}

void add_recording(CLI::App& app, Arguments& arguments, bool required) {
  auto* name = app.add_option("recording", arguments.name,
                              "a file, or the beginning of a session's id (at least 6 digits)");
  name->type_name("FILE|ID");
  if (required) {
    name->required();
  }
  add_common(app, arguments);
}

int failed(const Error& error) {
  print_message(error.message);
  return kFailed;
}

Result<int> status_of(const Status& done) {
  return done ? Result(0) : done.error();
}

Result<int> with_recording(const Arguments& arguments, const CLI::App& app) {
  const Result<Settings> settings = read_settings(arguments.options);
  if (!settings) {
    return settings.error();
  }
  const Result<std::string> path = locate_recording(arguments.name, settings->recordings);
  if (!path) {
    return path.error();
  }
  if (app.got_subcommand("export")) {
    return status_of(export_recording(*path, settings->identity, kFormats.at(arguments.format),
                                      arguments.output));
  }
  if (app.got_subcommand("verify")) {
    const Result<Proof> proof = verify(*path, settings->identity);
    return proof ? Result(*proof == Proof::whole ? 0 : kNotAllProven) : proof.error();
  }
  return status_of(play(*path, settings->identity));
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Plays, exports and verifies recorded sessions", "sallyport-play");
  app.set_version_flag("--version", SALLYPORT_VERSION);
  add_recording(app, arguments, false);
  auto* exporting = app.add_subcommand("export", "Write a file that others can read");
  add_recording(*exporting, arguments, true);
  exporting
      ->add_option("--format", arguments.format,
                   "cast2, cast3, text; or the exact bytes of stdin, stdout, stderr")
      ->check(CLI::IsMember(&kFormats))
      ->type_name("")
      ->required();
  exporting->add_option("-o,--output", arguments.output, "a new file; standard output without it")
      ->type_name("FILE");
  auto* verifying = app.add_subcommand("verify", "Say what is proven about a recording");
  add_recording(*verifying, arguments, true);
  verifying->footer(
      "Exit status: 0 when everything is proven; 1 when the recording was changed or cannot be "
      "read;\n"
      "3 when nothing is wrong but not everything is proven: no identity, or the recording has no "
      "end");
  auto* generating = app.add_subcommand("keygen", "Make an age identity for an auditor");
  generating->add_option("-o,--output", arguments.output, "a new file for the identity (0600)")
      ->type_name("FILE");
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (arguments.name.empty() && !app.got_subcommand(generating)) {
    std::fprintf(stderr, "sallyport-play: name a recording: FILE or ID; --help says more\n");
    return kUsage;
  }
  const Result<int> done = app.got_subcommand(generating) ? status_of(keygen(arguments.output))
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
