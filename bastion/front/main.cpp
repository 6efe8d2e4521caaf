// SPDX-License-Identifier: Apache-2.0
//
// front: talks SSH with the user, and decides nothing. It holds the user's connection and the SSH
// host key (libssh 0.10 cannot sign elsewhere), reports to the monitor what the client offers, and
// does what the monitor says.
#include "bastion/front/descriptors.h"
#include "bastion/front/server.h"
#include "shared/base/hex_key.h"
#include "shared/base/log.h"
#include "shared/ipc/nursery.h"
#include "shared/ipc/sandbox.h"
#include "shared/ssh/jump_host_key.h"
#include "shared/ssh/prepare.h"

#include <libssh/libssh.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace {

using namespace sallyport;

// kMaxChannels of honest clients that do not read, at libssh's window of 1.28 MB each.
constexpr uint64_t kMaxMemoryBytes = 256ULL << 20;

// gate's arguments: how many host keys, the ciphers, the seconds between keepalives, and for a
// session inside another one its target.
constexpr size_t kTargetArgument = 3;

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

// Inside another session (ssh -J) the client takes us for the target, and we show it the same key
// each time: derived from a secret of this bastion and the target's name.
SshKey read_jump_key(int fd, const std::string& target) {
  auto secret = read_hex_key(fd, "the jump key");
  auto key = secret ? jump_host_key(secret->span(), target) : Result<EvpKey>(secret.error());
  auto text = key ? to_openssh(**key) : Result<SecretBytes>(key.error());
  ssh_key imported = nullptr;
  if (!text || ssh_pki_import_privkey_base64(reinterpret_cast<const char*>(text->data()), nullptr,
                                             nullptr, nullptr, &imported) != SSH_OK) {
    fatal("the jump key cannot be used");
  }
  return SshKey(imported);
}

std::vector<SshKey> read_keys(const std::vector<std::string>& arguments) {
  std::vector<SshKey> keys;
  if (arguments.size() > kTargetArgument) {
    const UniqueFd owned(front::kFirstHostKeyFd);
    keys.push_back(read_jump_key(owned.get(), arguments[kTargetArgument]));
    return keys;
  }
  const int count = std::atoi(arguments[0].c_str());
  for (int i = 0; i < count; ++i) {
    keys.push_back(read_host_key(front::kFirstHostKeyFd + i));
  }
  return keys;
}

}  // namespace

int main(int, char** argv) {
  log_start("front");
  harden_process();
  prepare_ssh();
  const std::vector<std::string> arguments = wait_for_start(argv);
  if (arguments.size() < kTargetArgument) {
    fatal("gate sent no arguments");
  }
  std::vector<SshKey> keys = read_keys(arguments);
  // Bounds what a peer can make libssh queue (it has no limit of its own): the session ends there.
  limit_memory(kMaxMemoryBytes);
  front::Server server(UniqueFd(front::kClientFd), Peer(UniqueFd(front::kMonitorFd)),
                       std::move(keys),
                       {arguments[1], std::chrono::seconds(std::atoll(arguments[2].c_str())),
                        arguments.size() > kTargetArgument});
  enter_sandbox(SandboxProfile::front);
  ::_exit(server.run());  // the kernel cleans up faster than libraries do
}
