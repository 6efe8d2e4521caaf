// SPDX-License-Identifier: Apache-2.0
//
// front: talks SSH with the user, and decides nothing. It holds the user's connection and the SSH
// host key (libssh 0.10 cannot sign elsewhere), reports to the monitor what the client offers, and
// does what the monitor says.
#include "bastion/front/descriptors.h"
#include "bastion/front/server.h"
#include "shared/base/log.h"
#include "shared/ipc/sandbox.h"

#include <libssh/libssh.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace {

using namespace sallyport;

// The descriptor is shared with every other front: pread() leaves its offset alone.
SshKey read_host_key(int fd) {
  const UniqueFd owned(fd);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || info.st_size <= 0 || info.st_size > 64 * 1024) {
    fatal("the host key cannot be read");
  }
  SecretBytes text(static_cast<size_t>(info.st_size) + 1);
  if (::pread(fd, text.data(), text.size() - 1, 0) != static_cast<ssize_t>(text.size() - 1)) {
    fatal("the host key cannot be read");
  }
  ssh_key key = nullptr;
  if (ssh_pki_import_privkey_base64(reinterpret_cast<const char*>(text.data()), nullptr, nullptr,
                                    nullptr, &key) != SSH_OK) {
    fatal("the host key is not a private key without a passphrase");
  }
  return SshKey(key);
}

}  // namespace

int main(int argc, char** argv) {
  log_start("front");
  harden_process();
  ssh_init();
  // OpenSSL reads its configuration and seeds itself lazily: do it while files can be opened.
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  unsigned char seed = 0;
  RAND_bytes(&seed, 1);

  std::vector<SshKey> keys;
  const int key_count = argc > 1 ? std::atoi(argv[1]) : 0;
  for (int i = 0; i < key_count; ++i) {
    keys.push_back(read_host_key(front::kFirstHostKeyFd + i));
  }
  // Bounds what a peer can make libssh queue (it has no limit of its own): the session ends there.
  limit_memory(96ULL << 20);
  front::Server server(UniqueFd(front::kClientFd), Peer(UniqueFd(front::kMonitorFd)),
                       std::move(keys), argc > 2 ? argv[2] : "");
  enter_sandbox(SandboxProfile::front);
  return server.run();
}
