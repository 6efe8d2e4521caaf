// SPDX-License-Identifier: Apache-2.0
//
// keyd holds the keys that open the targets. It has no network, executes nothing, and reads three
// kinds of foreign bytes: our own messages, the ssh-agent requests of a session's back process, and
// the private keys that an administrator hands in.
#include "bastion/keyd/confine.h"
#include "bastion/keyd/daemon.h"
#include "bastion/keyd/notify.h"
#include "shared/base/log.h"
#include "shared/config/config.h"
#include "shared/crypto/algorithms.h"
#include "shared/evidence/checkpoint.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/peer.h"
#include "shared/ipc/sandbox.h"

#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>

using namespace sallyport;

namespace {

template <class T>
T need(Result<T> result) {
  if (!result) {
    fatal(result.error().message);
  }
  return std::move(*result);
}

std::string config_path(int argc, char** argv) {
  if (argc == 1) {
    return kDefaultConfigPath;
  }
  if (argc != 3 || std::string(argv[1]) != "--config") {
    fatal("usage: sallyport-keyd [--config PATH]");
  }
  return argv[2];
}

std::optional<uid_t> uid_of(const char* user) {
  const passwd* entry = ::getpwnam(user);
  return entry == nullptr ? std::nullopt : std::optional(entry->pw_uid);
}

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit_descriptors(
      std::min<rlim_t>(limit.rlim_max, KeyDaemon::kMaxSigners + KeyDaemon::kMaxConversations + 64));
}

}  // namespace

int main(int argc, char** argv) {
  log_start("keyd");
  harden_process();
  const Config config = need(load_config(config_path(argc, argv)));
  SecretBytes vault_key = need(read_key_file(config.vault_key_file, "vault.key"));
  raise_descriptor_limit();
  if (const auto locked = lock_memory(); !locked) {
    log_warning("memory_not_locked", {{"why", locked.error().message}});
  }
  const KeyDaemon::Users users{uid_of(kSessionUser), uid_of(kStoredUser)};
  drop_to_user(kKeydUser);

  const std::string folder = config.state_path("keyd");
  const SecretBytes log_seal(vault_key.span());
  // The vault first: it tells a wrong vault key, before the log makes a key and seals it with that.
  Vault vault = need(Vault::open(folder + "/vault", std::move(vault_key)));
  LogSigner log = need(LogSigner::open(folder, log_seal.span(), origin_of(config.node)));
  if (const auto state = log.last_note(); !state) {
    log_error("log_state_unusable", {{"why", state.error().message}});
  }
  EventLoop loop;
  loop.on_signals({SIGTERM, SIGINT}, [&loop](int) { loop.stop(); });
  const std::string socket = config.socket_path("keyd");
  KeyDaemon daemon(loop, need(listen_peer(socket)), std::move(vault), std::move(log),
                   config.socket_path("authd"), users);
  prepare_crypto();
  forbid_network();
  log_info("ready", {{"socket", socket}});
  notify_ready();
  loop.run();
  ::unlink(socket.c_str());
  return 0;
}
