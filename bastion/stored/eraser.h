// SPDX-License-Identifier: Apache-2.0
//
// Orders of erasure (docs/formats/log.md). First the log says what is erased and by which order;
// when that is signed the keys are zeroed, or the files deleted, and with them who it was. So
// nothing ever goes that the log does not speak of, and what a crash interrupts is finished later.
#pragma once

#include "bastion/stored/facts/facts_folder.h"
#include "bastion/stored/holds.h"
#include "bastion/stored/index/index_worker.h"
#include "bastion/stored/node_log.h"
#include "bastion/stored/recordings_folder.h"
#include "bastion/stored/recovery.h"
#include "shared/config/config.h"
#include "shared/evidence/erasure_order.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/workers.h"

#include <functional>
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
    const Holds& holds;
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

  // What the log says is erased and the disk still has: after a crash in between, or when an old
  // copy was put back. Once all that stands in the log now is signed.
  void finish_all();

  // An order about it is carried out at this moment: too late to hold it.
  bool is_going(const RecordingName& name) const { return going_.contains(name); }

private:
  struct Erasure {
    ErasureOrder order;
    std::string bytes;  // with its signatures
    bool is_own = false;
    Done done;
  };
  Result<ErasureOrder> check_order(const std::string& bytes) const;
  void begin(Erasure erasure);
  void check_and_log(Erasure erasure, const LoggedRecordings& logged);
  Status why_not(const RecordingName& name, const ErasureOrder& order,
                 const LoggedRecordings& logged) const;
  Status enter(const Erasure& erasure);
  void when_signed(uint64_t size, const std::function<void()>& then);
  void erase(const Erasure& erasure);
  void tell_index(const std::vector<RecordingName>& erased);

  EventLoop& loop_;
  Workers& workers_;
  Stores stores_;
  const std::string node_;
  ErasureConfig config_;
  std::set<RecordingName> going_;
};

}  // namespace sallyport::stored
