// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/witness/witness.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/peer.h"
#include "shared/ipc/workers.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::witness {

// Hears of checkpoints from stored, and shows them to the witnesses: to each the latest, not more
// often than its interval says, each on a thread of its own. Tells stored what they say. A stored
// that comes back is told anew what each knows.
class Keeper {
public:
  Keeper(EventLoop& loop, const Config& config);

  // After the loop. False: a witness still holds a thread, and the process can only _exit().
  bool stop();

private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::string name;
    WitnessConfig config;
    std::shared_ptr<Witness> witness;
    bool busy = false;
    bool answered = false;
    bool contradicts = false;  // it is not shown anything any more
    std::string shown;         // the note that it has
    unsigned failures = 0;
    Clock::time_point next{};  // not before
    EventLoop::TimerId timer = 0;
  };

  void connect();
  void disconnect();
  void on_ready();
  Status take(const Received& received);
  void poke(Entry& entry);
  void poke_all();
  void show(Entry& entry);
  void take_answer(Entry& entry, uint64_t life, const std::string& note, WitnessSays says);
  bool is_done(const Entry& entry) const;

  EventLoop& loop_;
  const std::string socket_;
  Peer stored_;
  uint64_t life_ = 0;  // of the connection
  bool missed_ = false;
  bool hurry_ = false;  // stored goes: intervals do not count
  std::optional<SignedLog> log_;
  std::vector<Entry> entries_;
  Workers workers_;
};

}  // namespace sallyport::witness
