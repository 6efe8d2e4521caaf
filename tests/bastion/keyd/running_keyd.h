// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/keyd/daemon.h"
#include "shared/ipc/peer.h"
#include "tests/support/catch.h"
#include "tests/support/keygen.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <optional>

namespace sallyport::test {

// The real daemon in a process of its own; ended by its pid.
class RunningKeyd {
public:
  struct Users {
    std::optional<uid_t> session;
    std::optional<uid_t> stored;
    std::optional<uid_t> own;  // what keyd becomes
  };
  explicit RunningKeyd(const Users& users = {},
                       const std::function<void(const TestFolder&)>& prepare = {}) {
    if (prepare) {
      prepare(folder);
    }
    auto listener = listen_peer(folder / "socket");
    REQUIRE(listener);
    pid_ = ::fork();
    if (pid_ == 0) {
      if (users.own && (::chown(folder.path().c_str(), *users.own, *users.own) != 0 ||
                        ::setuid(*users.own) != 0)) {
        ::_exit(1);
      }
      EventLoop loop;
      loop.on_signals({SIGTERM}, [&](int) { loop.stop(); });
      KeyDaemon daemon(loop, std::move(*listener),
                       std::move(*Vault::open(folder / "vault", SecretBytes(size_t{32}))),
                       std::move(*LogSigner::open(folder.path(), SecretBytes(size_t{32}).span(),
                                                  "sallyport/test")),
                       folder / "authd", {users.session, users.stored});
      loop.run();
      ::_exit(0);
    }
    peer = Peer(std::move(*connect_peer(folder / "socket")));
  }
  ~RunningKeyd() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  RunningKeyd(const RunningKeyd&) = delete;
  RunningKeyd& operator=(const RunningKeyd&) = delete;

  template <class Message>
  Message next() {
    auto received = receive_waiting(peer, 20'000);
    REQUIRE(received);
    REQUIRE(received->type == Message::kType);
    auto message = decode<Message>(received->body);
    REQUIRE(message);
    return std::move(*message);
  }

  TestFolder folder;
  Peer peer;

private:
  pid_t pid_ = -1;
};

}  // namespace sallyport::test
