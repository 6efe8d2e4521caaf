// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/recordings_folder.h"
#include "shared/config/config.h"
#include "shared/ipc/dispatch.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/grant_confirmer.h"

#include <map>
#include <memory>
#include <set>

namespace sallyport::stored {

// One conversation per monitor: a grant is confirmed with authd before a file is made for it.
class Server {
public:
  Server(EventLoop& loop, const Config& config, RecordingsFolder folder, UniqueFd listener);

private:
  struct Client;
  void accept();
  void on_ready(Client& client, uint32_t events);
  void close(Client& client);
  void answer(const std::weak_ptr<Client>& client, const OpenRecording& asked,
              const Result<GrantFacts>& facts);
  void count_open();

  EventLoop& loop_;
  RecordingsFolder folder_;
  Syncer syncer_;
  UniqueFd listener_;
  GrantConfirmer confirmer_;
  std::set<uid_t> allowed_;
  std::map<int, std::shared_ptr<Client>> clients_;
};

}  // namespace sallyport::stored
