// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/daemon_client.h"
#include "bastion/ctl/terminal.h"
#include "bastion/ctl/when.h"
#include "shared/base/hex.h"
#include "shared/base/unix_ms.h"

#include <CLI/CLI.hpp>
#include <array>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

constexpr uint64_t kMsPerSecond = 1000;

const std::map<std::string, RecordingState> kStates = {
    {"running", RecordingState::running},     {"ended", RecordingState::ended},
    {"cut-off", RecordingState::cut_off},     {"erased", RecordingState::erased},
    {"set-aside", RecordingState::set_aside}, {"missing", RecordingState::missing}};

std::string state_name(RecordingState state) {
  for (const auto& [name, value] : kStates) {
    if (value == state) {
      return name;
    }
  }
  return "";
}

struct ListOptions {
  RecordingsFind wanted;
  std::string since;
  std::string until;
  std::string state;
  bool as_json = false;
};

nlohmann::json entry_json(const RecordingEntry& entry) {
  return {{"recording", entry.recording},
          {"state", state_name(entry.state)},
          {"person", entry.person},
          {"agent", entry.agent},
          {"issuer", entry.issuer},
          {"subject", entry.subject},
          {"target", entry.target},
          {"login", entry.login},
          {"address", entry.address},
          {"fingerprint", entry.fingerprint},
          {"roles", entry.roles},
          {"kind", entry.kind},
          {"start", utc_time(entry.start_ms)},
          {"end", entry.end_ms == 0 ? nlohmann::json() : nlohmann::json(utc_time(entry.end_ms))},
          {"bytes", entry.bytes},
          {"frames", entry.frames},
          {"reason", entry.reason},
          {"head", to_hex(as_bytes(entry.chain_head))},
          {"hold", entry.hold},
          {"hold_reason", entry.hold_reason}};
}

std::string held_text(const RecordingEntry& entry, bool with_reason) {
  return !entry.hold ? "" : ", held" + (with_reason ? ": " + entry.hold_reason : "");
}

std::vector<std::string> table_row(const RecordingEntry& entry, bool with_reason) {
  const std::string length =
      entry.end_ms < entry.start_ms
          ? "-"
          : std::to_string((entry.end_ms - entry.start_ms) / kMsPerSecond) + " s";
  return {entry.recording,
          entry.person.empty() ? "-" : entry.person,
          entry.login + (entry.login.empty() ? "" : "@") + entry.target,
          entry.kind,
          utc_time(entry.start_ms),
          length,
          std::to_string(entry.bytes),
          state_name(entry.state) + held_text(entry, with_reason)};
}

Status take_times(ListOptions& options) {
  const uint64_t now = unix_ms();
  for (const auto& [text, moment] : {std::pair(&options.since, &options.wanted.since_ms),
                                     std::pair(&options.until, &options.wanted.until_ms)}) {
    if (text->empty()) {
      continue;
    }
    const auto when = parse_when(*text, now);
    if (!when) {
      return when.error();
    }
    *moment = *when;
  }
  return ok();
}

Result<DaemonClient> connect_stored(const Ctl& ctl) {
  const auto config = ctl.config_of_running();
  return config ? DaemonClient::connect(*config, "stored") : config.error();
}

Status list_recordings(const Ctl& ctl, ListOptions& options) {
  if (Status taken = take_times(options); !taken) {
    return taken;
  }
  options.wanted.state = options.state.empty() ? RecordingState::any : kStates.at(options.state);
  auto stored = connect_stored(ctl);
  if (!stored) {
    return stored.error();
  }
  std::string lacks;
  const auto entries = stored->ask_entries<RecordingEntry>(options.wanted, &lacks);
  if (!entries) {
    return entries.error();
  }
  if (!lacks.empty()) {
    std::cerr << "sallyportctl: " << lacks << '\n';
  }
  auto json = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const RecordingEntry& entry : *entries) {
    options.as_json ? json.push_back(entry_json(entry))
                    : rows.push_back(table_row(entry, options.wanted.hold));
  }
  if (options.as_json) {
    print_json(json);
  } else {
    print_table({"RECORDING", "PERSON", "TARGET", "KIND", "STARTED", "LENGTH", "BYTES", "STATE"},
                rows);
  }
  return ok();
}

Status reindex(const Ctl& ctl) {
  auto stored = connect_stored(ctl);
  if (!stored) {
    return stored.error();
  }
  const auto text = stored->ask(Reindex{});
  if (!text) {
    return text.error();
  }
  print_line(*text);
  return ok();
}

void add_list(CLI::App& recordings, Ctl& ctl) {
  auto options = std::make_shared<ListOptions>();
  auto* list = recordings.add_subcommand("list", "Find them, the newest first");
  list->add_option("--person", options->wanted.person, "who, as the identity provider names them");
  list->add_option("--agent", options->wanted.agent, "who acted for the person");
  list->add_option("--target", options->wanted.target, "on which target");
  list->add_option("--login", options->wanted.login, "as which account of the target");
  list->add_option("--address", options->wanted.address, "from where: how the address begins");
  list->add_option("--fingerprint", options->wanted.fingerprint, "by which key, \"SHA256:...\"");
  list->add_option("--session", options->wanted.recording, "how the session's id begins");
  list->add_option("--since", options->since, "begun then or later: 2026-11-21, 12h, 7d");
  list->add_option("--until", options->until, "begun before");
  list->add_option("--state", options->state, "in which state")->check(CLI::IsMember(&kStates));
  list->add_flag("--held", options->wanted.hold, "only those under legal hold");
  list->add_option("--limit", options->wanted.limit, "at most so many (10000)");
  list->add_flag("--json", options->as_json, "as JSON");
  list->callback(
      [&ctl, options] { ctl.run = [&ctl, options] { return list_recordings(ctl, *options); }; });
}

}  // namespace

void add_recording_commands(CLI::App& app, Ctl& ctl) {
  auto* recordings = app.add_subcommand("recordings", "What has been recorded");
  recordings->require_subcommand(1);
  add_list(*recordings, ctl);
  add_keeping_commands(*recordings, ctl);
  add_evidence_commands(*recordings, ctl);
  auto* anew = app.add_subcommand(
      "reindex", "Build the index of recordings anew from the node log, the facts and the files");
  anew->callback([&ctl] { ctl.run = [&ctl] { return reindex(ctl); }; });
}

}  // namespace sallyport
