// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/stored/index/index_worker.h"
#include "bastion/stored/node_log.h"
#include "bastion/stored/recordings_folder.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/workers.h"

#include <string>

namespace sallyport::stored {

// Every recording that has begun gets an end in the node log: as its monitor says it, or, where the
// monitor has gone without a word, as its file shows. The index hears of it too.
class EndEntries {
public:
  EndEntries(EventLoop& loop, Workers& workers, RecordingsFolder& folder, NodeLog& log,
             IndexWorker& index)
      : loop_(loop), workers_(workers), folder_(folder), log_(log), index_(index) {}

  // `state`: ended or cut_off.
  void enter(const RecordingHead& head, const std::string& reason, RecordingState state);
  // As soon as nobody writes the file any more.
  void look_and_enter(const RecordingName& name, const std::string& reason);

private:
  void look_again(const RecordingName& name, const std::string& reason);

  EventLoop& loop_;
  Workers& workers_;
  RecordingsFolder& folder_;
  NodeLog& log_;
  IndexWorker& index_;
};

}  // namespace sallyport::stored
