// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/server.h"

#include "bastion/stored/asked_recording.h"
#include "bastion/stored/index_row.h"
#include "bastion/stored/reindex.h"
#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/base/printable.h"
#include "shared/base/unix_ms.h"
#include "shared/base/whole_file.h"
#include "shared/ipc/sandbox.h"
#include "shared/recording/header.h"

#include <pwd.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace sallyport::stored {

struct Server::Client {
  Client(Server& its_server, Peer its_peer, Caller its_caller)
      : server(its_server), peer(std::move(its_peer)), caller(its_caller) {}

  Status answer_open_recording(const OpenRecording& asked);
  Status answer_recording_head_is(const RecordingHeadIs& message);
  Status answer_recording_ended(const RecordingEnded& ended);
  Status answer_recordings_find(const RecordingsFind& wanted);
  Status answer_reindex(const Reindex&);
  Status answer_recording_hold(const RecordingHold& wanted);
  Status answer_recordings_erase(const RecordingsErase& wanted);
  Status answer_retention_look(const RetentionLook& wanted);
  Status answer_reload(const Reload&);
  std::function<void(const Status&)> later(std::string text);
  void send(const Answer& answer);

  Server& server;
  Peer peer;
  Caller caller;
  Id session;  // of the first question; one connection, one session
  // False: asked for, true: it stands in the log.
  std::map<RecordingName, bool> open;
  std::set<MessageType> seen;
  std::weak_ptr<Client> self;
};

namespace {

constexpr auto kIndexLook = std::chrono::seconds(2);  // after the start
constexpr auto kIndexInterval = std::chrono::seconds(60);
constexpr uint64_t kMib = 1024 * 1024;
constexpr size_t kMaxListed = 10'000;

std::optional<uid_t> session_user() {
  const passwd* entry = ::getpwnam(kSessionUser);
  return entry == nullptr ? std::nullopt : std::optional(entry->pw_uid);
}

}  // namespace

Server::Server(EventLoop& loop, const Config& config, RecordingsFolder& folder, NodeLog& log,
               FactsFolder& facts, EndEntries& ends, IndexWorker& index, Workers& workers,
               WitnessDesk& witnesses, Keeping keeping, UniqueFd listener)
    : loop_(loop),
      folder_(folder),
      log_(log),
      facts_(facts),
      ends_(ends),
      index_(index),
      workers_(workers),
      witnesses_(witnesses),
      keeping_(keeping),
      heads_(loop, log),
      config_path_(config.path),
      reserve_bytes_(config.reserve_mib * kMib),
      confirmer_(loop, config.socket_path("authd"), Purpose::record),
      session_user_(session_user()),
      listener_(loop, std::move(listener),
                [this](UniqueFd socket, uid_t user) { admit(std::move(socket), user); }) {
  loop_.call_after(kIndexLook, [this] { look_at_index(); });
}

// A file that was damaged, or deleted, was begun anew and lacks what was there.
void Server::look_at_index() {
  if (!index_.needs_reindex()) {
    loop_.call_after(kIndexInterval, [this] { look_at_index(); });
    return;
  }
  reindex([this](const Status& done) {
    log_warning("the index lacked recordings and was built anew",
                {{"result", done ? "done" : done.error().message}});
    loop_.call_after(kIndexInterval, [this] { look_at_index(); });
  });
}

void Server::admit(UniqueFd socket, uid_t user) {
  const auto caller = caller_of(user);
  if (!caller) {
    return log_warning("a stranger was turned away", {{"uid", std::to_string(user)}});
  }
  auto client = std::make_shared<Client>(*this, Peer(std::move(socket)), *caller);
  client->self = client;
  const int number = client->peer.fd();
  clients_[number] = client;
  loop_.watch(number, EPOLLIN, [this, client](uint32_t events) { on_ready(*client, events); });
}

std::optional<Caller> Server::caller_of(uid_t user) const {
  if (user == ::geteuid()) {
    return Caller::own_user;
  }
  if (user == 0) {
    return Caller::administrator;  // and gate, as which it looks whether we listen
  }
  return session_user_ == user ? std::optional(Caller::session) : std::nullopt;
}

void Server::on_ready(Client& client, uint32_t) {
  constexpr uint32_t kMonitor = in(Caller::session, Caller::own_user);
  constexpr uint32_t kAdministrator = in(Caller::administrator, Caller::own_user);
  static constexpr AllowedMessage<Client> kTable[] = {
      allow<&Client::answer_open_recording>(kMonitor, Times::many),
      allow<&Client::answer_recording_head_is>(kMonitor, Times::many),
      allow<&Client::answer_recording_ended>(kMonitor, Times::many),
      allow<&Client::answer_recordings_find>(kAdministrator, Times::many),
      allow<&Client::answer_reindex>(kAdministrator, Times::many),
      allow<&Client::answer_recording_hold>(kAdministrator, Times::many),
      allow<&Client::answer_recordings_erase>(kAdministrator, Times::many),
      allow<&Client::answer_retention_look>(kAdministrator, Times::many),
      allow<&Client::answer_reload>(kAdministrator, Times::many),
  };
  Status status = client.peer.flush();
  if (status) {
    status = receive_all(client.peer, [&](Received& received) {
      return dispatch<Client>(kTable, client, client.caller, client.seen, received);
    });
  }
  if (!status) {
    if (status.error().code == Errc::protocol) {
      log_error("a client breaks the protocol", {{"why", status.error().message}});
    }
    return close(client);
  }
  watch(client);
}

void Server::watch(Client& client) {
  loop_.change(client.peer.fd(),
               client.peer.wants_write() ? EPOLLIN | EPOLLOUT : static_cast<uint32_t>(EPOLLIN));
}

// A monitor that ends says how each of its recordings does.
void Server::close(Client& client) {
  for (const auto& [name, is_logged] : client.open) {
    if (is_logged) {
      ends_.look_and_enter(name, "killed");
    }
  }
  const int number = client.peer.fd();
  loop_.unwatch(number);
  clients_.erase(number);
  count_open();
}

void Server::count_open() {
  log_.set_recording(std::any_of(clients_.begin(), clients_.end(),
                                 [](const auto& client) { return !client.second->open.empty(); }));
}

Status Server::Client::answer_open_recording(const OpenRecording& asked) {
  if (!session.is_zero() && session != asked.session) {
    return Error{Errc::protocol, "a second session on one connection"};
  }
  if (peer.wants_write()) {  // each answer holds a descriptor
    return Error{Errc::protocol, "the monitor does not read its answers"};
  }
  if (open.size() >=
          4 * kMaxChannels ||  // two each, and some that the monitor has given up already
      !open.emplace(recording_of(asked), false).second) {
    return Error{Errc::protocol, "a recording asked for twice, or one too many"};
  }
  if (const auto header = check_header(asked); !header) {
    return header.error();
  }
  session = asked.session;
  server.confirmer_.confirm(
      asked.grant, asked.session, [weak = self, asked](const Result<GrantFacts>& facts) {
        if (const auto client = weak.lock()) {
          Server& its = client->server;
          its.witnesses_.when_asked([&its, weak, asked, facts] { its.answer(weak, asked, facts); });
        }
      });
  return ok();
}

void Server::answer(const std::weak_ptr<Client>& weak, const OpenRecording& asked,
                    const Result<GrantFacts>& facts) {
  const auto client = weak.lock();
  if (!client) {
    return;  // it did not wait for the witnesses
  }
  auto file = facts ? begin(asked, *facts) : Result<UniqueFd>(facts.error());
  if (!file) {
    log_error("no recording", {{"session", asked.session.hex()}, {"why", file.error().message}});
    client->open.erase(recording_of(asked));
    const bool no_right = !facts && file.error().code == Errc::denied;
    (void)client->peer.send(
        RecordingOpened{asked.channel, asked.part, false,
                        (no_right ? "" : "this session cannot be recorded, so it is not opened: ") +
                            file.error().message});
    return watch(*client);
  }
  log_info("recording", {{"session", asked.session.hex()},
                         {"recording", recording_id(recording_of(asked))},
                         {"target", facts->target}});
  client->open[recording_of(asked)] = true;
  (void)client->peer.send(RecordingOpened{asked.channel, asked.part, true, ""}, {file->get()});
  watch(*client);
  count_open();
}

// The files are there before the log speaks of them, and all before the monitor can write.
Result<UniqueFd> Server::begin(const OpenRecording& asked, const GrantFacts& grant) {
  if (Status room = check_room(); !room) {
    return room.error();
  }
  if (Status known = witnesses_.may_begin(); !known) {
    return known.error();
  }
  LogEntry start;
  start.time_ms = unix_ms();
  start.recording = recording_of(asked);
  start.hash = decode_header(as_bytes(asked.header))->first_head;
  if (keeping_.eraser.was_deleted(start.recording)) {
    return Error{Errc::denied, "there was a recording of that name"};
  }
  auto file = folder_.create(start.recording, as_bytes(asked.header));
  if (!file) {
    return file;
  }
  const RecordingFacts facts = facts_of(start, asked, grant);
  if (const Status entered = enter_start(start, facts); !entered) {
    folder_.remove(start.recording);
    (void)facts_.remove(start.recording);
    return entered.error();
  }
  index_.put(index_row(facts, asked.header.size()));
  return file;
}

Status Server::enter_start(const LogEntry& start, const RecordingFacts& facts) {
  const auto file = make_facts_file(facts);
  if (!file) {
    return file.error();
  }
  if (Status written = facts_.write_new(start.recording, *file); !written) {
    return written;
  }
  LogEntry audit;
  audit.kind = LogEntry::Kind::audit;
  audit.time_ms = start.time_ms;
  audit.hash = commitment(*file);
  return log_.append({start, audit});
}

// New sessions are refused while the ones that run still have room.
Status Server::check_room() {
  const auto free_bytes = folder_.free_bytes();
  if (!free_bytes) {
    return free_bytes.error();
  }
  const bool is_short = *free_bytes < 2 * reserve_bytes_;
  if (is_short && !std::exchange(room_is_short_, true)) {
    log_warning("the disk of the recordings is nearly full",
                {{"free_mib", std::to_string(*free_bytes / kMib)},
                 {"new_sessions_need_mib", std::to_string(reserve_bytes_ / kMib)}});
  }
  room_is_short_ = is_short;
  return *free_bytes >= reserve_bytes_
             ? ok()
             : Status(Error{Errc::limit, "the bastion's disk is full; tell its operator"});
}

Status Server::Client::answer_recording_head_is(const RecordingHeadIs& message) {
  const auto head = digest_of(message.chain_head);
  const RecordingName name{session, message.channel, message.part};
  const auto recording = open.find(name);
  if (!head || recording == open.end() || !recording->second) {
    return Error{Errc::protocol, "a head of a recording that is not open, or none"};
  }
  server.heads_.enter({name, message.frames, *head});
  return ok();
}

Status Server::Client::answer_recording_ended(const RecordingEnded& ended) {
  const RecordingName name{session, ended.channel, ended.part};
  const auto recording = open.find(name);
  if (recording == open.end() || !recording->second || !is_end_reason(ended.reason)) {
    return Error{Errc::protocol, "the end of a recording that is not open, or not one"};
  }
  if (ended.chain_head.empty()) {
    server.ends_.look_and_enter(name, ended.reason);
  } else if (const auto head = digest_of(ended.chain_head); head) {
    server.ends_.enter({name, ended.frames, *head}, ended.reason, RecordingState::ended);
  } else {
    return head.error();
  }
  server.heads_.forget(name);
  open.erase(recording);
  server.count_open();
  return ok();
}

Status Server::Client::answer_recordings_find(const RecordingsFind& wanted) {
  const Status asked = server.index_.find(wanted, [weak = self](const auto& found) {
    const auto client = weak.lock();
    if (!client) {
      return;
    }
    Server& its = client->server;
    if (found) {
      for (RecordingEntry entry : *found) {
        entry.hold_reason = its.reason_of_hold(entry);
        (void)client->peer.send(entry);
      }
    }
    (void)client->peer.send(found ? Answer{true, its.index_.lacks()}
                                  : Answer{false, found.error().message});
    its.watch(*client);
  });
  return asked ? ok() : peer.send(Answer{false, asked.error().message});
}

std::string Server::reason_of_hold(const RecordingEntry& entry) const {
  const auto name = parse_recording_id(entry.recording);
  const auto reason =
      entry.hold && name ? keeping_.holds.reason_of(*name) : Result<std::string>("");
  return reason ? *reason : "";
}

void Server::Client::send(const Answer& answer) {
  (void)peer.send(answer);
  server.watch(*this);
}

// The Answer to a question whose result comes when this client may have gone.
std::function<void(const Status&)> Server::Client::later(std::string text) {
  return [weak = self, text = std::move(text)](const Status& done) {
    if (const auto client = weak.lock()) {
      client->send(done ? Answer{true, text} : Answer{false, done.error().message});
    }
  };
}

Status Server::Client::answer_reindex(const Reindex&) {
  server.reindex(later("the index is built anew"));
  return ok();
}

Status Server::Client::answer_recording_hold(const RecordingHold& wanted) {
  const auto name = parse_recording_id(wanted.recording);
  if (!name) {
    return peer.send(Answer{false, "\"" + printable(wanted.recording) + "\" is no recording's id"});
  }
  const std::string reason = printable(wanted.reason, 500);
  if (wanted.hold && reason.empty()) {
    return peer.send(Answer{false, "a hold needs a reason"});
  }
  const auto answer = later(wanted.recording + (wanted.hold ? " is held" : " is not held"));
  const auto done = [&its = server, wanted, reason, answer](const Status& held) {
    if (held) {
      log_info(wanted.hold ? "legal hold" : "legal hold released",
               {{"recording", wanted.recording}, {"reason", reason}});
      its.index_.put(IndexHold{wanted.recording, wanted.hold});
    }
    answer(held);
  };
  Keeping& keeping = server.keeping_;
  wanted.hold ? keeping.eraser.hold(*name, reason, done) : done(keeping.holds.release(*name));
  return ok();
}

Status Server::Client::answer_recordings_erase(const RecordingsErase& wanted) {
  server.keeping_.eraser.carry_out(wanted.order, later("erased"));
  return ok();
}

Status Server::Client::answer_retention_look(const RetentionLook& wanted) {
  server.keeping_.retention.find([weak = self, wanted](const auto& due) {
    const auto client = weak.lock();
    if (!client || !due) {
      return client ? client->send(Answer{false, due.error().message}) : void();
    }
    size_t count = 0;
    for (const auto& [rule, recordings] : *due) {
      for (const RecordingName& name : recordings) {
        if (count++ < kMaxListed) {
          (void)client->peer.send(DueRecording{recording_id(name), rule});
        }
      }
    }
    const auto answer = client->later(std::to_string(count) +
                                      (wanted.delete_now ? " deleted" : " would be deleted"));
    wanted.delete_now ? client->server.keeping_.retention.erase(*due, answer) : answer(ok());
  });
  return ok();
}

Status Server::Client::answer_reload(const Reload&) {
  server.reload(later("reloaded"));
  return ok();
}

// What of the configuration may change while stored runs.
void Server::reload(const std::function<void(const Status&)>& done) {
  const bool taken = workers_.submit([this, done, path = config_path_] {
    const auto config = load_config(path);
    return [this, done, config] {
      if (config) {
        keeping_.eraser.reload(config->erasure);
        keeping_.retention.reload(retention_rules(*config));
      }
      done(config ? ok() : Status(config.error()));
    };
  });
  if (!taken) {
    done(Error{Errc::limit, "stored has too much to do; try again"});
  }
}

void Server::reindex(std::function<void(const Status&)> done) {
  std::set<RecordingName> running;
  for (const auto& [number, client] : clients_) {
    for (const auto& [name, is_logged] : client->open) {
      running.insert(name);
    }
  }
  index_.begin_rebuild();
  // These live longer than the workers, and this does not.
  const bool taken = workers_.submit([this, running, done, log = log_.folder(), size = log_.size(),
                                      &facts = facts_, &folder = folder_, &holds = keeping_.holds] {
    auto rows = rows_from_files(log, size, facts, folder, holds, running);
    return [this, rows, done] {
      if (rows) {
        index_.finish_rebuild(*rows, done);
      } else {
        index_.give_up_rebuild();
        done(rows.error());
      }
    };
  });
  if (!taken) {
    index_.give_up_rebuild();
    done(Error{Errc::limit, "stored has too much to do; try again"});
  }
}

}  // namespace sallyport::stored
