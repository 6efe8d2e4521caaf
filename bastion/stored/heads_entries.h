// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/node_log.h"
#include "shared/evidence/log_entry.h"
#include "shared/ipc/event_loop.h"

#include <map>
#include <string>

namespace sallyport::stored {

// How far the recordings that moved are, as an entry of the node log: with the monitor's own time
// at most 30 s after a frame.
class HeadsEntries {
public:
  HeadsEntries(EventLoop& loop, NodeLog& log) : loop_(loop), log_(log) {}

  void enter(const RecordingHead& head);
  void forget(const RecordingName& name) { moved_.erase(name); }  // it ended

private:
  void write();

  EventLoop& loop_;
  NodeLog& log_;
  std::map<RecordingName, RecordingHead> moved_;  // since the last entry
  bool is_due_ = false;                           // a timer runs
};

// Heads files of a time from which no recording is kept: all that had begun by then was erased.
// They are deleted when they are a day old. Reads the folder and the log, so not for a loop's
// thread.
void remove_old_heads_files(const std::string& log_folder, uint64_t log_size);

}  // namespace sallyport::stored
