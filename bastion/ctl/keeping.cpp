// SPDX-License-Identifier: Apache-2.0
//
// How long recordings stay: orders of erasure, legal hold, retention.
#include "bastion/ctl/commands.h"
#include "bastion/ctl/daemon_client.h"
#include "bastion/ctl/terminal.h"
#include "shared/base/unix_ms.h"
#include "shared/base/whole_file.h"
#include "shared/evidence/erasure_order.h"
#include "shared/recording/wanted_recordings.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

namespace sallyport {

namespace {

constexpr const char* kIdHelp =
    "a recording, or how a session's id begins (at least 6 digits): then all recordings of that "
    "session; with k behind it what was typed";

struct KeepingOptions {
  std::vector<std::string> ids;
  std::string reason;
  std::string order_file;
  std::vector<std::string> signatures;
  bool yes = false;
  bool now = false;
  bool as_json = false;
};

struct Stored {
  Config config;
  DaemonClient daemon;
};

// An order, and what deletes for ever, wants a configuration without errors.
Result<Stored> connect_stored(Result<Config> config) {
  if (!config) {
    return config.error();
  }
  auto daemon = DaemonClient::connect(*config, "stored");
  return daemon ? Result(Stored{std::move(*config), std::move(*daemon)}) : daemon.error();
}

// One that is named whole needs no index.
Result<std::vector<RecordingName>> recordings_of(DaemonClient& stored, const std::string& id) {
  const auto wanted = parse_wanted_recordings(id);
  if (!wanted) {
    return wanted.error();
  }
  RecordingsFind beginning;
  beginning.recording = wanted->digits;
  std::string lacks;
  const auto found = stored.ask_entries<RecordingEntry>(beginning, &lacks);
  if (const auto only = wanted->only(); only && (!found || !lacks.empty())) {
    return std::vector<RecordingName>{*only};
  }
  if (!found || !lacks.empty()) {
    return found ? Error{Errc::denied, lacks} : found.error();
  }
  std::vector<RecordingName> names;
  std::set<Id> sessions;
  for (const RecordingEntry& entry : *found) {
    const auto name = parse_recording_id(entry.recording);
    if (name && wanted->has(*name)) {
      names.push_back(*name);
      sessions.insert(name->session);
    }
  }
  if (names.empty()) {
    return Error{Errc::not_found,
                 "there is no recording \"" + id + "\"; `sallyportctl recordings list` shows them"};
  }
  if (sessions.size() > 1) {
    return Error{Errc::invalid, "several sessions begin with \"" + id + "\"; give more of the id"};
  }
  return names;
}

Result<std::vector<RecordingName>> all_recordings_of(DaemonClient& stored,
                                                     const std::vector<std::string>& ids) {
  std::set<RecordingName> all;
  for (const std::string& id : ids) {
    const auto names = recordings_of(stored, id);
    if (!names) {
      return names.error();
    }
    all.insert(names->begin(), names->end());
  }
  return std::vector<RecordingName>(all.begin(), all.end());
}

Result<std::string> make_order(Stored& stored, const KeepingOptions& options) {
  const auto names = all_recordings_of(stored.daemon, options.ids);
  if (!names) {
    return names.error();
  }
  ErasureOrder order;
  order.node = stored.config.node;
  order.made_ms = unix_ms();
  order.reason = options.reason;
  order.recordings = *names;
  return erasure_order_text(std::move(order));
}

Status print_order(const Ctl& ctl, const KeepingOptions& options) {
  auto stored = connect_stored(ctl.config());
  const auto order = stored ? make_order(*stored, options) : Result<std::string>(stored.error());
  if (!order) {
    return order.error();
  }
  std::cout << *order;
  return ok();
}

Result<std::string> read_order(const KeepingOptions& options) {
  const auto text = read_file(options.order_file, kMaxOrderBytes);
  if (!text) {
    return text.error();
  }
  std::vector<std::string> signatures;
  for (const std::string& file : options.signatures) {
    auto signature = read_file(file, kMaxOrderBytes);
    if (!signature) {
      return signature.error();
    }
    signatures.push_back(std::move(*signature));
  }
  return with_signatures(*text, signatures);
}

Result<std::string> order_of(Stored& stored, const KeepingOptions& options) {
  if (!options.order_file.empty()) {
    return read_order(options);
  }
  const auto& erasure = stored.config.erasure;
  if (!erasure.approvers.empty()) {
    return Error{Errc::denied,
                 "recordings are erased here by an order that " +
                     std::to_string(erasure.approvals) + " of " +
                     std::to_string(erasure.approvers.size()) +
                     " people sign (recording.erasure):\n"
                     "1. sallyportctl recordings order ID --reason TEXT >order.txt\n"
                     "2. each of them: ssh-keygen -Y sign -n " +
                     std::string(kErasureNamespace) +
                     " -f KEY <order.txt >NAME.sig\n"
                     "3. sallyportctl recordings erase --order order.txt --signature NAME.sig ..."};
  }
  return make_order(stored, options);
}

Status erase(const Ctl& ctl, const KeepingOptions& options) {
  if (options.order_file.empty() && (options.ids.empty() || options.reason.empty())) {
    return Error{Errc::invalid,
                 "name the recordings, and why: erase ID --reason TEXT; or an order "
                 "that was signed: erase --order FILE --signature FILE"};
  }
  auto stored = connect_stored(ctl.config());
  if (!stored) {
    return stored.error();
  }
  const auto bytes = order_of(*stored, options);
  if (!bytes) {
    return bytes.error();
  }
  const auto order = parse_erasure_order(*bytes);
  if (!order) {
    return Error{order.error().code, "the order: " + order.error().message};
  }
  std::string names;
  for (const RecordingName& name : order->order.recordings) {
    names += (names.empty() ? "" : ", ") + recording_id(name);
  }
  const auto agreed = confirm("Make unreadable for ever: " + names + "?", options.yes);
  if (!agreed || !*agreed) {
    return agreed ? ok() : Status(agreed.error());
  }
  const auto done = stored->daemon.ask(RecordingsErase{*bytes});
  if (!done) {
    return done.error();
  }
  print_line("erased: " + names);
  return ok();
}

Status set_hold(const Ctl& ctl, const KeepingOptions& options, bool hold) {
  auto stored = connect_stored(ctl.config_of_running());
  if (!stored) {
    return stored.error();
  }
  const auto names = all_recordings_of(stored->daemon, options.ids);
  if (!names) {
    return names.error();
  }
  // One that cannot be held keeps no other from it.
  Status all = ok();
  for (const RecordingName& name : *names) {
    const auto done = stored->daemon.ask(RecordingHold{recording_id(name), hold, options.reason});
    if (done) {
      print_line(*done);
    } else {
      all =
          Error{done.error().code, (all ? "" : all.error().message + "\n") + done.error().message};
    }
  }
  return all;
}

Status retention(const Ctl& ctl, const KeepingOptions& options) {
  auto stored = connect_stored(options.now ? ctl.config() : ctl.config_of_running());
  if (!stored) {
    return stored.error();
  }
  const auto agreed = options.now
                          ? confirm("Delete what the configuration wants deleted?", options.yes)
                          : Result(true);
  if (!agreed || !*agreed) {
    return agreed ? ok() : Status(agreed.error());
  }
  std::string text;
  const auto due = stored->daemon.ask_entries<DueRecording>(RetentionLook{options.now}, &text);
  if (!due) {
    return due.error();
  }
  auto json = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [recording, rule] : *due) {
    json.push_back({{"recording", recording}, {"rule", rule}});
    rows.push_back({recording, rule});
  }
  if (options.as_json) {
    print_json(json);
    return ok();
  }
  print_table({"RECORDING", "BECAUSE"}, rows);
  print_line(text);
  return ok();
}

using Run = Status (*)(const Ctl&, const KeepingOptions&);

void add(CLI::App& recordings, Ctl& ctl, const std::string& name, const std::string& help, Run run,
         const std::function<void(CLI::App&, KeepingOptions&)>& add_options) {
  auto options = std::make_shared<KeepingOptions>();
  auto* command = recordings.add_subcommand(name, help);
  add_options(*command, *options);
  command->callback(
      [&ctl, options, run] { ctl.run = [&ctl, options, run] { return run(ctl, *options); }; });
}

}  // namespace

void add_keeping_commands(CLI::App& recordings, Ctl& ctl) {
  add(recordings, ctl, "erase",
      "Make recordings unreadable for ever, with an entry in the node log", erase,
      [](CLI::App& command, KeepingOptions& options) {
        command.add_option("ID", options.ids, kIdHelp);
        command.add_option("--reason", options.reason, "why; it stands in the order for ever");
        command.add_option("--order", options.order_file, "an order that others have signed");
        command
            .add_option("--signature", options.signatures, "of the order, by ssh-keygen -Y sign")
            ->needs("--order");
        command.add_flag("--yes", options.yes, "do not ask");
      });
  add(recordings, ctl, "order", "Print an order of erasure, for others to sign", print_order,
      [](CLI::App& command, KeepingOptions& options) {
        command.add_option("ID", options.ids, kIdHelp)->required();
        command.add_option("--reason", options.reason, "why")->required();
      });
  add(
      recordings, ctl, "hold", "Legal hold: neither erased nor deleted until it is released",
      [](const Ctl& c, const KeepingOptions& o) { return set_hold(c, o, true); },
      [](CLI::App& command, KeepingOptions& options) {
        command.add_option("ID", options.ids, kIdHelp)->required();
        command.add_option("--reason", options.reason, "why")->required();
      });
  add(
      recordings, ctl, "release", "End a legal hold",
      [](const Ctl& c, const KeepingOptions& o) { return set_hold(c, o, false); },
      [](CLI::App& command, KeepingOptions& options) {
        command.add_option("ID", options.ids, kIdHelp)->required();
      });
  add(recordings, ctl, "retention",
      "What is to be deleted by the configuration's retention_days and retention_mib; stored does "
      "so once an hour",
      retention, [](CLI::App& command, KeepingOptions& options) {
        command.add_flag("--now", options.now, "delete it now");
        command.add_flag("--yes", options.yes, "do not ask");
        command.add_flag("--json", options.as_json, "as JSON");
      });
}

}  // namespace sallyport
