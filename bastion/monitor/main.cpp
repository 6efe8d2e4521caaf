// SPDX-License-Identifier: Apache-2.0
//
// monitor: the only way between front and back. It asks authd who this is, records first and
// forwards second, and parses nothing but our own messages. It holds this session's recordings,
// append-only, and their data keys; no network, no file of its own.
#include "bastion/monitor/descriptors.h"
#include "bastion/monitor/monitor.h"
#include "shared/base/log.h"
#include "shared/ipc/nursery.h"
#include "shared/ipc/sandbox.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <unistd.h>

int main(int, char** argv) {
  using namespace sallyport;
  log_start("monitor");
  harden_process();
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  RecordingWriter::prepare_process();
  wait_for_start(argv);
  Peer control{UniqueFd(monitor::kControlFd)};
  auto start = receive_start<SessionStart>(control);
  if (!start) {
    fatal("gate sent no start: " + start.error().message);
  }
  EventLoop loop;
  monitor::Monitor monitor(
      loop,
      {std::move(control), Peer(UniqueFd(monitor::kFrontFd)), Peer(UniqueFd(monitor::kBackFd)),
       Peer(UniqueFd(monitor::kAuthdFd)), Peer(UniqueFd(monitor::kStoredFd))},
      std::move(*start));
  limit_memory(256ULL << 20);
  enter_sandbox(SandboxProfile::monitor);
  loop.run();
  ::_exit(0);  // the kernel cleans up faster than libraries do
}
