// SPDX-License-Identifier: Apache-2.0
//
// back: talks SSH with the target. It holds the target's connection and one descriptor that signs
// once; no key, no file, no socket of its own. Whatever a hostile target makes of it stays here.
#include "bastion/back/client.h"
#include "bastion/back/descriptors.h"
#include "shared/base/log.h"
#include "shared/ipc/sandbox.h"

#include <libssh/libssh.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

int main() {
  using namespace sallyport;
  log_start("back");
  harden_process();
  ssh_init();
  // OpenSSL reads its configuration and seeds itself lazily: do it while files can be opened.
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  unsigned char seed = 0;
  RAND_bytes(&seed, 1);

  Peer control{UniqueFd(back::kControlFd)};
  auto received = receive_waiting(control, 5000);
  auto start = received && received->type == MessageType::back_start
                   ? decode<BackStart>(received->body)
                   : Result<BackStart>(Error{Errc::protocol, "no start message"});
  if (!start) {
    fatal("gate sent no start: " + start.error().message);
  }
  control.close();
  // Bounds what a peer can make libssh queue (it has no limit of its own): the session ends there.
  limit_memory(256ULL << 20);
  back::Client client(UniqueFd(back::kTargetFd), Peer(UniqueFd(back::kMonitorFd)),
                      UniqueFd(back::kAgentFd), std::move(*start));
  enter_sandbox(SandboxProfile::back);
  return client.run();
}
