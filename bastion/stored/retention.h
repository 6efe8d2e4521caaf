// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/eraser.h"
#include "bastion/stored/index/index_worker.h"
#include "bastion/stored/retention_rules.h"
#include "shared/ipc/event_loop.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::stored {

// Once an hour, or when somebody asks, the recordings that the configuration wants no longer are
// deleted, with an entry in the log and an order that names the rule. The index says which those
// are: of what it lacks nothing is deleted.
class Retention {
public:
  using Found = std::function<void(const Result<std::vector<DueRecordings>>&)>;
  using Done = std::function<void(const Status&)>;

  // `last_run_ms`: Unix, a moment when stored ran before; 0: not known.
  Retention(EventLoop& loop, IndexWorker& index, Eraser& eraser, std::string node,
            RetentionRules rules, uint64_t last_run_ms);

  void reload(RetentionRules rules) { rules_ = std::move(rules); }

  void find(Found found);  // what is due now
  // Errc::denied: the clock was set, or another run goes on.
  void erase(std::vector<DueRecordings> due, Done done);

private:
  // Of the answers so far, newest first.
  struct Search {
    std::vector<KeptRecording> kept;
    Found found;
  };
  void every_hour();
  void look_at_clock();
  void read_page(std::shared_ptr<Search> search, RecordingsFind page);
  struct Run {
    std::vector<ErasureOrder> orders;  // the last first
    Status failed = ok();              // the first that did
    Done done;
  };
  void erase_next(const std::shared_ptr<Run>& run);

  EventLoop& loop_;
  IndexWorker& index_;
  Eraser& eraser_;
  const std::string node_;
  RetentionRules rules_;
  uint64_t wall_ms_;  // at the last look
  std::chrono::steady_clock::time_point steady_;
  std::chrono::steady_clock::time_point not_before_;  // after the clock was set
  bool runs_ = false;
};

}  // namespace sallyport::stored
