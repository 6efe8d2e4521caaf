// SPDX-License-Identifier: Apache-2.0
//
// back: dials the target, locks itself in, and talks SSH with it. It holds that connection and one
// descriptor that signs once; no key, no file. Whatever a hostile target makes of it stays here.
#include "bastion/back/client.h"
#include "bastion/back/descriptors.h"
#include "bastion/back/dial.h"
#include "shared/base/log.h"
#include "shared/ipc/nursery.h"
#include "shared/ipc/sandbox.h"
#include "shared/ssh/prepare.h"

#include <unistd.h>

int main(int, char** argv) {
  using namespace sallyport;
  log_start("back");
  harden_process();
  prepare_ssh();
  wait_for_start(argv);
  Peer control{UniqueFd(back::kControlFd)};
  auto start = receive_start<BackStart>(control);
  if (!start) {
    fatal("gate sent no start: " + start.error().message);
  }
  control.close();
  Peer monitor{UniqueFd(back::kMonitorFd)};
  UniqueFd agent{back::kAgentFd};
  auto target = back::dial(start->address, start->own_listeners);
  if (!target) {
    const std::string& why = target.error().message;
    log_warning("no connection", {{"target", start->target}, {"why", why}});
    (void)monitor.send(SessionFailed{"sallyport: cannot reach " + start->target + ": " + why});
    return 1;
  }
  // Bounds what a peer can make libssh queue (it has no limit of its own): the session ends there.
  limit_memory(256ULL << 20);
  back::Client client(std::move(*target), std::move(monitor), std::move(agent), std::move(*start));
  enter_sandbox(SandboxProfile::back);
  ::_exit(client.run());  // the kernel cleans up faster than libraries do
}
