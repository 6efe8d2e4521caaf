// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/commands.h"
#include "bastion/ctl/daemon_client.h"
#include "bastion/ctl/terminal.h"
#include "bastion/ctl/unique_prefix.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

Result<DaemonClient> connect_authd(const Ctl& ctl) {
  const auto config = ctl.config_of_running();
  return config ? DaemonClient::connect(*config, "authd") : config.error();
}

// Without a target: the outer login of ssh -J, whose sessions have entries of their own.
std::string place_of(const SessionEntry& session) {
  return session.target.empty() ? "(ssh -J)" : session.login + "@" + session.target;
}

Status list_sessions(const Ctl& ctl, bool as_json) {
  auto authd = connect_authd(ctl);
  if (!authd) {
    return authd.error();
  }
  const auto sessions = authd->ask_entries<SessionEntry>(SessionsList{});
  if (!sessions) {
    return sessions.error();
  }
  auto json = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& s : *sessions) {
    json.push_back({{"session", s.session.hex()},
                    {"person", s.person},
                    {"target", s.target},
                    {"login", s.login},
                    {"address", s.address},
                    {"fingerprint", s.fingerprint},
                    {"since", utc_time(s.since_ms)}});
    rows.push_back({s.session.hex(), s.person, place_of(s), s.address, utc_time(s.since_ms)});
  }
  if (as_json) {
    print_json(json);
  } else {
    print_table({"SESSION", "PERSON", "TARGET", "FROM", "SINCE"}, rows);
  }
  return ok();
}

Result<SessionEntry> find_session(const std::vector<SessionEntry>& sessions,
                                  const std::string& prefix) {
  std::vector<std::string> ids;
  for (const auto& session : sessions) {
    ids.push_back(session.session.hex());
  }
  const auto at = find_unique_prefix(prefix, ids, "session", "sallyportctl sessions list");
  return at ? Result(sessions[*at]) : at.error();
}

Status kill_session(const Ctl& ctl, const std::string& prefix, bool yes) {
  auto authd = connect_authd(ctl);
  if (!authd) {
    return authd.error();
  }
  const auto sessions = authd->ask_entries<SessionEntry>(SessionsList{});
  if (!sessions) {
    return sessions.error();
  }
  const auto session = find_session(*sessions, prefix);
  if (!session) {
    return session.error();
  }
  const auto agreed = confirm("End the session of " + session->person + " on " +
                                  place_of(*session) + " (from " + session->address + ")?",
                              yes);
  if (!agreed) {
    return agreed.error();
  }
  if (!*agreed) {
    return Error{Errc::denied, "nothing was ended"};
  }
  const auto text = authd->ask(SessionKill{session->session});
  if (!text) {
    return text.error();
  }
  print_line(text->empty() ? "ended " + session->session.hex() : *text);
  return ok();
}

}  // namespace

void add_session_commands(CLI::App& app, Ctl& ctl) {
  auto* sessions = app.add_subcommand("sessions", "Who is on which target now");
  sessions->require_subcommand(1);

  auto as_json = std::make_shared<bool>(false);
  auto* list = sessions->add_subcommand("list", "List them");
  list->add_flag("--json", *as_json, "as JSON");
  list->callback(
      [&ctl, as_json] { ctl.run = [&ctl, as_json] { return list_sessions(ctl, *as_json); }; });

  auto id = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  auto* kill = sessions->add_subcommand("kill", "End one; the user sees a line that says so");
  kill->add_option("ID", *id, "the session, or the beginning of its name")->required();
  kill->add_flag("--yes", *yes, "do not ask");
  kill->callback(
      [&ctl, id, yes] { ctl.run = [&ctl, id, yes] { return kill_session(ctl, *id, *yes); }; });
}

}  // namespace sallyport
