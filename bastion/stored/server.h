// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/end_entries.h"
#include "bastion/stored/facts/facts_folder.h"
#include "bastion/stored/heads_entries.h"
#include "bastion/stored/legal_holds.h"
#include "bastion/stored/node_log.h"
#include "bastion/stored/recordings_folder.h"
#include "bastion/stored/retention.h"
#include "bastion/stored/witness_desk.h"
#include "shared/config/config.h"
#include "shared/ipc/dispatch.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/grant_confirmer.h"
#include "shared/ipc/peer_listener.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace sallyport::stored {

// Who asks, by SO_PEERCRED: the session processes' user records, root administers, and stored's own
// user (everything runs as one user in tests and the quick start) does both.
enum class Caller : uint8_t { session, administrator, own_user };

// How long recordings stay, and who has a say in it.
struct Keeping {
  LegalHolds& holds;
  Eraser& eraser;
  Retention& retention;
};

// One conversation per monitor: a grant is confirmed with authd, a file with the recording's header
// made and its start entered into the node log before the monitor gets a descriptor. And
// administrators ask what there is.
class Server {
public:
  Server(EventLoop& loop, const Config& config, RecordingsFolder& folder, NodeLog& log,
         FactsFolder& facts, EndEntries& ends, IndexWorker& index, Workers& workers,
         WitnessDesk& witnesses, Keeping keeping, UniqueFd listener);

  // Builds the index anew, beside the work.
  void reindex(std::function<void(const Status&)> done);

private:
  struct Client;
  void admit(UniqueFd socket, uid_t user);
  void on_ready(Client& client, uint32_t events);
  void watch(Client& client);
  void close(Client& client);
  void answer(const std::weak_ptr<Client>& client, const OpenRecording& asked,
              const Result<GrantFacts>& facts);
  Result<UniqueFd> begin(const OpenRecording& asked, const GrantFacts& grant);
  Status enter_start(const LogEntry& start, const RecordingFacts& facts);
  std::optional<Caller> caller_of(uid_t user) const;
  Status check_room();
  void count_open();
  std::string reason_of_hold(const RecordingEntry& entry) const;
  void look_at_index();
  void reload(const std::function<void(const Status&)>& done);

  EventLoop& loop_;
  RecordingsFolder& folder_;
  NodeLog& log_;
  FactsFolder& facts_;
  EndEntries& ends_;
  IndexWorker& index_;
  Workers& workers_;
  WitnessDesk& witnesses_;
  Keeping keeping_;
  HeadsEntries heads_;
  const std::string config_path_;
  const uint64_t reserve_bytes_;
  GrantConfirmer confirmer_;
  std::optional<uid_t> session_user_;
  std::map<int, std::shared_ptr<Client>> clients_;
  bool room_is_short_ = false;  // and the log says so
  PeerListener listener_;
};

}  // namespace sallyport::stored
