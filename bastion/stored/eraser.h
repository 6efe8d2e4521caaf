// SPDX-License-Identifier: Apache-2.0
//
// Orders of erasure (docs/formats/log.md). First the log says what is erased and by which order;
// when that is signed the keys are zeroed, or the files deleted, and with them who it was. So
// nothing ever goes that the log does not speak of, and what a crash interrupts is finished later.
#pragma once

#include "bastion/stored/facts/facts_folder.h"
#include "bastion/stored/index/index_worker.h"
#include "bastion/stored/legal_holds.h"
#include "bastion/stored/node_log.h"
#include "bastion/stored/recordings_folder.h"
#include "bastion/stored/recovery.h"
#include "shared/config/config.h"
#include "shared/evidence/erasure_order.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/workers.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sallyport::stored {

class Eraser {
public:
  struct Stores {
    RecordingsFolder& folder;
    NodeLog& log;
    FactsFolder& facts;
    IndexWorker& index;
    LegalHolds& holds;
  };
  using Done = std::function<void(const Status&)>;

  Eraser(EventLoop& loop, Workers& workers, Stores stores, std::string node, ErasureConfig config)
      : loop_(loop),
        workers_(workers),
        stores_(stores),
        node_(std::move(node)),
        config_(std::move(config)) {}

  void reload(ErasureConfig config) { config_ = std::move(config); }

  // An order as somebody brought it: refused as a whole where anything of it cannot be, by one line
  // that says what and why. `done` when everything is erased.
  void carry_out(const std::string& order, Done done);
  // Of retention: what of it cannot be erased, because it is held, is left out.
  void carry_out_own(ErasureOrder order, Done done);

  // Legal hold, unless the log does not know the recording or says that it is erased.
  void hold(const RecordingName& name, const std::string& reason, Done done);

  // What the log says is erased and the disk still has: after a crash in between, or when an old
  // copy was put back. Once all that stands in the log now is signed.
  void finish_all();

  // Its file was deleted while this process runs: its name is not given again.
  bool was_deleted(const RecordingName& name) const { return deleted_.contains(name); }

private:
  struct Erasure {
    ErasureOrder order;
    std::string bytes;  // with its signatures
    bool is_own = false;
    Done done;
  };
  // What the log has of the recordings that an order names.
  struct Logged {
    LoggedRecordings all;
    std::set<RecordingName> deleted;  // by an order that said so
  };
  void begin(Erasure erasure);
  void check_and_log(Erasure erasure, const Logged& logged);
  Status why_not(const RecordingName& name, ErasureOrder::What what, const Logged& logged) const;
  Status enter(const Erasure& erasure);
  void when_signed(uint64_t size, const std::function<void()>& then);
  void erase(const std::shared_ptr<const Erasure>& erasure);
  void tell_index(const std::vector<RecordingName>& erased);

  EventLoop& loop_;
  Workers& workers_;
  Stores stores_;
  const std::string node_;
  ErasureConfig config_;
  std::set<RecordingName> going_;  // logged, and not erased yet
  std::set<RecordingName> deleted_;
  bool is_finishing_ = false;
};

}  // namespace sallyport::stored
