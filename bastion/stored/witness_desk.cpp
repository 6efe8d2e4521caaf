// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/witness_desk.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/base/names.h"
#include "shared/base/printable.h"
#include "shared/base/whole_file.h"
#include "shared/evidence/tiles.h"
#include "shared/ipc/sandbox.h"

#include <pwd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace sallyport::stored {

struct WitnessDesk::Client {
  Client(WitnessDesk& its_desk, Peer its_peer) : desk(its_desk), peer(std::move(its_peer)) {}

  Status answer_watch_log(const WatchLog&);
  Status answer_ask_consistency(const AskConsistency& asked);
  Status answer_witness_says(const WitnessSays& says);

  WitnessDesk& desk;
  Peer peer;
  bool watches = false;
  std::set<MessageType> seen;
  std::weak_ptr<Client> self;
};

namespace {

constexpr size_t kMaxClients = 64;
constexpr size_t kMaxWaitingJobs = 256;
constexpr size_t kMaxWitnesses = 256;
constexpr size_t kMaxTextCharacters = 300;
constexpr auto kFinishTime = std::chrono::milliseconds(1'500);

std::optional<uid_t> witness_user() {
  const passwd* entry = ::getpwnam(kWitnessUser);
  return entry == nullptr ? std::nullopt : std::optional(entry->pw_uid);
}

ConsistencyIs consistency(const std::string& folder, uint64_t old_size, uint64_t size) {
  TileReader tiles(folder, size);
  const auto proof = consistency_proof(old_size, size, [&tiles](unsigned level, uint64_t index) {
    return tiles.subtree(level, index);
  });
  ConsistencyIs answer;
  answer.ok = proof.has_value();
  if (!proof) {
    answer.text = proof.error().message;
    return answer;
  }
  for (const Sha256Digest& hash : *proof) {
    answer.proof.emplace_back(as_text(hash));
  }
  return answer;
}

// In a worker's thread. On disk with the next sync.
void keep_cosigned(const std::string& log_folder, const std::string& witness,
                   const std::string& note) {
  const std::string folder = log_folder + "/cosigned";
  ::mkdir(folder.c_str(), 0750);
  if (const Status kept = replace_file(folder + "/" + witness, note); !kept) {
    log_error("a cosigned checkpoint is not kept",
              {{"witness", witness}, {"why", kept.error().message}});
  }
}

}  // namespace

WitnessDesk::WitnessDesk(EventLoop& loop, const Config& config, NodeLog& log, UniqueFd listener)
    : loop_(loop),
      log_(log),
      user_(witness_user()),
      workers_(loop, 1, kMaxWaitingJobs),
      listener_(loop, std::move(listener),
                [this](UniqueFd socket, uid_t user) { admit(std::move(socket), user); }) {
  for (const auto& [name, its] : config.witnesses) {
    witnesses_[name].required = its.required;
    witnesses_[name].interval = its.interval;
  }
  holds_sessions_ = holds_signing_ = !witnesses_.empty();
  if (witnesses_.empty()) {
    return;
  }
  loop_.watch(log_.signed_event(), EPOLLIN, [this](uint32_t) { on_signed(); });
  loop_.call_after(kPatience, [this] { on_patience_over(); });
}

uint64_t WitnessDesk::signed_size() const {
  const auto checkpoint = open_checkpoint(log_.note(), log_.verifier());
  return checkpoint ? checkpoint->size : 0;
}

void WitnessDesk::admit(UniqueFd socket, uid_t user) {
  if (user != ::geteuid() && user_ != user) {
    return log_warning("a stranger was turned away", {{"uid", std::to_string(user)}});
  }
  if (clients_.size() >= kMaxClients) {
    return log_warning("too many connections of the witness daemon");
  }
  auto client = std::make_shared<Client>(*this, Peer(std::move(socket)));
  client->self = client;
  const int number = client->peer.fd();
  clients_[number] = client;
  loop_.watch(number, EPOLLIN, [this, client](uint32_t) { on_ready(*client); });
}

void WitnessDesk::on_ready(Client& client) {
  static constexpr AllowedMessage<Client> kTable[] = {
      allow<&Client::answer_watch_log>(in(0), Times::once),
      allow<&Client::answer_ask_consistency>(in(0), Times::many),
      allow<&Client::answer_witness_says>(in(0), Times::many),
  };
  Status status = client.peer.flush();
  if (status) {
    status = receive_all(client.peer, [&](Received& received) {
      return dispatch<Client>(kTable, client, 0, client.seen, received);
    });
  }
  if (!status) {
    if (status.error().code == Errc::protocol) {
      log_error("the witness daemon breaks the protocol", {{"why", status.error().message}});
    }
    return close(client);
  }
  watch(client);
}

void WitnessDesk::watch(Client& client) {
  loop_.change(client.peer.fd(),
               client.peer.wants_write() ? EPOLLIN | EPOLLOUT : static_cast<uint32_t>(EPOLLIN));
}

void WitnessDesk::close(Client& client) {
  if (client.watches && !finishing_) {
    log_error("the witness daemon is gone: no checkpoint leaves this machine");
  }
  const int number = client.peer.fd();
  loop_.unwatch(number);
  clients_.erase(number);
  stop_when_finished();
}

Status WitnessDesk::Client::answer_watch_log(const WatchLog&) {
  watches = true;
  desk.tell(*this);
  return ok();
}

Status WitnessDesk::Client::answer_ask_consistency(const AskConsistency& asked) {
  if (asked.old_size > asked.size || asked.size > desk.signed_size()) {
    return Error{Errc::protocol, "a proof was asked for that no log has"};
  }
  if (desk.finishing_) {
    return peer.send(consistency(desk.log_.folder(), asked.old_size, asked.size));
  }
  const bool taken = desk.workers_.submit([weak = self, folder = desk.log_.folder(), asked] {
    return [weak, answer = consistency(folder, asked.old_size, asked.size)] {
      if (const auto client = weak.lock()) {
        (void)client->peer.send(answer);
        client->desk.watch(*client);
      }
    };
  });
  return taken ? ok() : peer.send(ConsistencyIs{false, "too many questions", {}});
}

Status WitnessDesk::Client::answer_witness_says(const WitnessSays& says) {
  const auto& known = desk.witnesses_;
  if (!is_valid_name(says.name) || (!known.contains(says.name) && known.size() >= kMaxWitnesses)) {
    return Error{Errc::protocol, "not the name of a witness, or one too many"};
  }
  desk.hear(says);
  return ok();
}

void WitnessDesk::tell(Client& client) {
  (void)client.peer.send(CheckpointIs{log_.verifier().text(), log_.note(), finishing_});
}

void WitnessDesk::on_signed() {
  eventfd_t count = 0;
  ::eventfd_read(log_.signed_event(), &count);
  const uint64_t size = signed_size();
  for (auto& [name, witness] : witnesses_) {
    if (witness.taken < size && !witness.behind_since) {
      witness.behind_since = Clock::now();
    }
  }
  for (const auto& [number, client] : clients_) {
    if (client->watches) {
      tell(*client);
      watch(*client);
    }
  }
}

void WitnessDesk::finish() {
  finishing_ = true;
  eventfd_t told_below = 0;
  ::eventfd_read(log_.signed_event(), &told_below);
  for (auto& [name, witness] : witnesses_) {
    witness.heard = false;
  }
  for (const auto& [number, client] : clients_) {
    if (client->watches) {
      tell(*client);
    }
  }
  if (is_waited_for()) {
    loop_.call_after(kFinishTime, [this] { loop_.stop(); });
    loop_.run();
  }
}

bool WitnessDesk::is_waited_for() const {
  const uint64_t size = signed_size();
  const bool is_told = std::any_of(clients_.begin(), clients_.end(),
                                   [](const auto& client) { return client.second->watches; });
  return is_told && std::any_of(witnesses_.begin(), witnesses_.end(), [size](const auto& one) {
           return !one.second.heard && one.second.taken < size;
         });
}

void WitnessDesk::hear(const WitnessSays& says) {
  Witness& witness = witnesses_[says.name];  // one that came into the configuration later, too
  witness.asked = true;
  witness.heard = true;
  switch (says.answer) {
    case WitnessAnswer::silent:
      take_silence(says.name, witness, printable(says.text, kMaxTextCharacters));
      break;
    case WitnessAnswer::larger:
    case WitnessAnswer::other:
      stop_log(says);
      witness.answered = true;
      break;
    case WitnessAnswer::nothing:
    case WitnessAnswer::taken:
      if (!witness.answered || witness.silent) {
        log_info("a witness of the log answers",
                 {{"witness", says.name}, {"entries", std::to_string(says.size)}});
      }
      witness.silent = false;
      witness.answered = true;
      take_checkpoint(says, witness);
      break;
  }
  look_whether_asked();
  stop_when_finished();
}

void WitnessDesk::stop_when_finished() {
  if (finishing_ && !is_waited_for()) {
    loop_.stop();
  }
}

void WitnessDesk::take_silence(const std::string& name, Witness& witness, const std::string& why) {
  if (!witness.silent || witness.why != why) {
    log_error("a witness of the log does not take checkpoints", {{"witness", name}, {"why", why}});
  }
  witness.silent = true;
  witness.why = why;
}

void WitnessDesk::take_checkpoint(const WitnessSays& says, Witness& witness) {
  if (says.answer != WitnessAnswer::taken) {
    return;
  }
  witness.taken = std::max(witness.taken, says.size);
  witness.behind_since = witness.taken < signed_size() ? std::optional(Clock::now()) : std::nullopt;
  if (!says.note.empty() && open_checkpoint(says.note, log_.verifier())) {
    const auto keep = [folder = log_.folder(), says] {
      keep_cosigned(folder, says.name, says.note);
      return [] {};
    };
    if (finishing_) {
      keep();
    } else {
      (void)workers_.submit(keep);
    }
  }
}

void WitnessDesk::stop_log(const WitnessSays& says) {
  const uint64_t ours = signed_size();
  const std::string why =
      says.answer == WitnessAnswer::larger
          ? "its witness \"" + says.name + "\" knows " + std::to_string(says.size) +
                " entries, and it has " + std::to_string(ours) + ": it was rolled back"
          : "the first " + std::to_string(says.size) + " of its " + std::to_string(ours) +
                " entries are not those that its witness \"" + says.name +
                "\" knows: it was rolled back and went on";
  log_error(
      "the log of recordings contradicts a witness, so nothing is signed or recorded any more",
      {{"witness", says.name},
       {"why", why},
       {"witness_says", printable(says.text, kMaxTextCharacters)},
       {"its_checkpoint", printable(says.note, kMaxNoteBytes)},
       {"what_to_do", "docs/formats/log.md, \"When a witness contradicts\""}});
  log_.refuse("the log of recordings is not trusted: " + why + "; tell the bastion's operator");
}

void WitnessDesk::look_whether_asked() {
  const auto all = [this](bool Witness::*what) {
    return std::all_of(witnesses_.begin(), witnesses_.end(),
                       [what](const auto& one) { return one.second.*what; });
  };
  // A log that a witness has stopped signs nothing when it is let go here.
  if (holds_signing_ && all(&Witness::answered)) {
    holds_signing_ = false;
    log_.release();
  }
  if (holds_sessions_ && all(&Witness::asked)) {
    holds_sessions_ = false;
    for (const auto& callback : std::exchange(waiting_, {})) {
      callback();
    }
  }
}

void WitnessDesk::on_patience_over() {
  for (auto& [name, witness] : witnesses_) {
    if (!witness.asked) {
      take_silence(name, witness,
                   std::any_of(clients_.begin(), clients_.end(),
                               [](const auto& client) { return client.second->watches; })
                       ? "it has not answered yet"
                       : "sallyport-witness does not run");
      witness.asked = true;
    }
  }
  if (std::exchange(holds_signing_, false)) {
    log_.release();
  }
  look_whether_asked();
}

void WitnessDesk::when_asked(std::function<void()> callback) {
  if (holds_sessions_) {
    waiting_.push_back(std::move(callback));
  } else {
    callback();
  }
}

Status WitnessDesk::may_begin() const {
  if (finishing_) {
    return Error{Errc::io, "the bastion is stopping; connect again"};
  }
  const auto now = Clock::now();
  for (const auto& [name, witness] : witnesses_) {
    const bool is_late = witness.behind_since &&
                         now - *witness.behind_since > witness.interval + NodeLog::kMaxUnsigned;
    if (witness.required && (!witness.answered || is_late)) {
      return Error{Errc::denied, "the witness \"" + name +
                                     "\" of the log of recordings does not take checkpoints; tell "
                                     "the bastion's operator"};
    }
  }
  return ok();
}

}  // namespace sallyport::stored
