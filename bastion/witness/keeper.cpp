// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/keeper.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

namespace sallyport::witness {

namespace {

constexpr auto kReconnect = std::chrono::milliseconds(500);
constexpr auto kFirstRetry = std::chrono::seconds(2);
constexpr unsigned kMaxDoublings = 5;  // about a minute
constexpr auto kStopTime = std::chrono::milliseconds(1'000);
constexpr int kProofPatienceMs = 10'000;

// On a connection of its own, by whichever thread needs it.
Result<MerkleProof> ask_consistency(const std::string& socket, uint64_t old_size, uint64_t size) {
  auto connected = connect_peer(socket);
  if (!connected) {
    return connected.error();
  }
  Peer stored(std::move(*connected));
  if (Status sent = stored.send(AskConsistency{old_size, size}); !sent) {
    return sent.error();
  }
  const auto received = receive_waiting(stored, kProofPatienceMs);
  const auto answer =
      received ? decode_as<ConsistencyIs>(*received) : Result<ConsistencyIs>(received.error());
  if (!answer || !answer->ok) {
    return Error{Errc::io,
                 "stored gives no proof: " + (answer ? answer->text : answer.error().message)};
  }
  MerkleProof proof;
  for (const std::string& bytes : answer->proof) {
    Sha256Digest hash{};
    if (bytes.size() != hash.size()) {
      return Error{Errc::protocol, "stored gives a proof that is none"};
    }
    std::copy(bytes.begin(), bytes.end(), proof.emplace_back().begin());
  }
  return proof;
}

}  // namespace

Keeper::Keeper(EventLoop& loop, const Config& config)
    : loop_(loop),
      socket_(config.witness_socket_path()),
      workers_(loop, config.witnesses.size(), config.witnesses.size()) {
  for (const auto& [name, its] : config.witnesses) {
    Entry entry;
    entry.name = name;
    entry.config = its;
    entries_.push_back(std::move(entry));
  }
  connect();
}

void Keeper::connect() {
  auto socket = connect_peer(socket_);
  if (!socket) {
    if (!std::exchange(missed_, true)) {
      log_warning("stored is not there yet", {{"why", socket.error().message}});
    }
    loop_.call_after(kReconnect, [this] { connect(); });
    return;
  }
  missed_ = false;
  hurry_ = false;
  ++life_;
  for (Entry& entry : entries_) {
    entry.witness = make_witness(entry.config);
    entry.answered = entry.contradicts = false;
    entry.shown.clear();
    entry.failures = 0;
    entry.next = {};
  }
  stored_ = Peer(std::move(*socket));
  loop_.watch(stored_.fd(), EPOLLIN, [this](uint32_t) { on_ready(); });
  (void)stored_.send(WatchLog{});
}

void Keeper::disconnect() {
  loop_.unwatch(stored_.fd());
  stored_.close();
  loop_.call_after(kReconnect, [this] { connect(); });
}

void Keeper::on_ready() {
  Status status = stored_.flush();
  while (status && stored_) {
    auto received = stored_.receive();
    if (!received || !*received) {
      status = received ? ok() : Status(received.error());
      break;
    }
    status = take(**received);
  }
  if (!status) {
    log_warning("stored is gone", {{"why", status.error().message}});
    return disconnect();
  }
  loop_.change(stored_.fd(),
               stored_.wants_write() ? EPOLLIN | EPOLLOUT : static_cast<uint32_t>(EPOLLIN));
}

Status Keeper::take(const Received& received) {
  const auto told = decode_as<CheckpointIs>(received);
  if (!told) {
    return told.error();
  }
  const auto verifier = parse_note_verifier(told->verifier);
  if (!verifier) {
    return verifier.error();
  }
  SignedLog log{*verifier, told->note, std::nullopt,
                [socket = socket_](uint64_t old_size, uint64_t size) {
                  return ask_consistency(socket, old_size, size);
                }};
  if (!told->note.empty()) {
    const auto checkpoint = open_checkpoint(told->note, *verifier);
    if (!checkpoint) {
      return checkpoint.error();
    }
    log.checkpoint = *checkpoint;
  }
  log_ = std::move(log);
  hurry_ = told->last;
  poke_all();
  return ok();
}

bool Keeper::is_done(const Entry& entry) const {
  return !log_ || entry.contradicts || (entry.answered && entry.shown == log_->note);
}

void Keeper::poke_all() {
  for (Entry& entry : entries_) {
    poke(entry);
  }
}

void Keeper::poke(Entry& entry) {
  if (entry.busy || is_done(entry)) {
    return;
  }
  loop_.cancel(std::exchange(entry.timer, 0));
  const auto now = Clock::now();
  if (now < entry.next && !hurry_) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(entry.next - now);
    entry.timer = loop_.call_after(wait, [this, &entry] {
      entry.timer = 0;
      poke(entry);
    });
    return;
  }
  show(entry);
}

void Keeper::show(Entry& entry) {
  entry.busy = workers_.submit([this, &entry, witness = entry.witness, log = *log_, life = life_] {
    WitnessSays says = witness->show(log);
    return [this, &entry, life, note = log.note, says] { take_answer(entry, life, note, says); };
  });
}

void Keeper::take_answer(Entry& entry, uint64_t life, const std::string& note, WitnessSays says) {
  entry.busy = false;
  if (life != life_) {  // stored has come back meanwhile; the witness is asked anew
    return poke(entry);
  }
  const auto now = Clock::now();
  if (says.answer == WitnessAnswer::silent) {
    entry.next = now + kFirstRetry * (1U << std::min(entry.failures++, kMaxDoublings));
  } else {
    entry.failures = 0;
    entry.answered = true;
    entry.shown = note;
    entry.contradicts = says.answer == WitnessAnswer::larger || says.answer == WitnessAnswer::other;
    entry.next = says.answer == WitnessAnswer::taken ? now + entry.config.interval : now;
  }
  const bool failed = says.answer == WitnessAnswer::silent;
  if (stored_) {
    says.name = entry.name;
    (void)stored_.send(says);
  } else if (failed) {
    log_warning("a witness does not answer", {{"witness", entry.name}, {"why", says.text}});
  }
  if (!hurry_ || !failed) {  // otherwise once more would not help
    poke(entry);
  }
}

bool Keeper::stop() {
  for (Entry& entry : entries_) {
    if (entry.witness) {
      entry.witness->cancel();
    }
  }
  return workers_.stop(kStopTime);
}

}  // namespace sallyport::witness
