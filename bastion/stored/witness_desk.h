// SPDX-License-Identifier: Apache-2.0
//
// Where sallyport-witness asks (docs/formats/log.md, "Witnesses"). It is told each checkpoint, gets
// proofs that one continues another, and says what the witnesses say. After a start nothing is
// signed before they were asked; what one of them knows and the log has not stops the log for good.
#pragma once

#include "bastion/stored/node_log.h"
#include "shared/config/config.h"
#include "shared/ipc/dispatch.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/messages.h"
#include "shared/ipc/peer_listener.h"
#include "shared/ipc/workers.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::stored {

class WitnessDesk {
public:
  // How long after the start a witness that does not answer holds the log up. Less than
  // kMaxUnsigned.
  static constexpr std::chrono::seconds kPatience{20};

  // Without witnesses in the configuration it has no listener, and nothing to do.
  WitnessDesk(EventLoop& loop, const Config& config, NodeLog& log, UniqueFd listener);

  // Calls back as soon as each witness has answered after the start, or could not: at once, later.
  void when_asked(std::function<void()> callback);
  // Why no recording may begin now: a required witness has not taken what was signed.
  Status may_begin() const;
  // After NodeLog::stop() and EventLoop::run(): the last checkpoint goes out. Runs the loop for a
  // moment more, for those who are to have it; no recording begins any more.
  void finish();

private:
  using Clock = std::chrono::steady_clock;
  struct Witness {
    bool required = false;
    std::chrono::seconds interval{0};
    bool asked = false;     // since the start, and something was said, if only that it is silent
    bool answered = false;  // by itself
    bool silent = false;
    bool heard = false;                             // since finish()
    uint64_t taken = 0;                             // the largest tree
    std::optional<Clock::time_point> behind_since;  // it has not taken what is signed
    std::string why;                                // silent
  };
  struct Client;

  void admit(UniqueFd socket, uid_t user);
  void on_ready(Client& client);
  void close(Client& client);
  void watch(Client& client);
  void on_signed();
  void tell(Client& client);
  void hear(const WitnessSays& says);
  void take_silence(const std::string& name, Witness& witness, const std::string& why);
  void take_checkpoint(const WitnessSays& says, Witness& witness);
  void stop_log(const WitnessSays& says);
  void look_whether_asked();
  void on_patience_over();
  uint64_t signed_size() const;
  bool is_waited_for() const;
  void stop_when_finished();

  EventLoop& loop_;
  NodeLog& log_;
  std::optional<uid_t> user_;  // sallyport-witness
  std::map<std::string, Witness> witnesses_;
  bool finishing_ = false;
  bool holds_sessions_ = true;
  bool holds_signing_ = true;
  std::vector<std::function<void()>> waiting_;
  std::map<int, std::shared_ptr<Client>> clients_;
  Workers workers_;  // proofs read tiles, cosigned checkpoints are files
  PeerListener listener_;
};

}  // namespace sallyport::stored
