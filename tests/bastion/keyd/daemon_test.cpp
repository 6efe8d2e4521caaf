// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/agent_socket.h"
#include "bastion/keyd/private_key.h"
#include "shared/base/hex.h"
#include "shared/ipc/peer.h"
#include "tests/bastion/keyd/agent_requests.h"
#include "tests/bastion/keyd/running_keyd.h"
#include "tests/support/catch.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

using namespace sallyport;
using namespace sallyport::test;

namespace {

std::string answer_of(RunningKeyd& keyd) {
  const auto answer = keyd.next<Answer>();
  return (answer.ok ? "ok: " : "no: ") + answer.text;
}

bool is_closed_after(Peer& peer) {
  return !receive_waiting(peer, 5000);
}

}  // namespace

TEST_CASE("keyd adds, generates, lists and removes") {
  RunningKeyd keyd;
  const EvpKey key = generate_key(KeyType::ecdsa_p256);
  REQUIRE(keyd.peer.send(VaultAdd{"old", std::move(*to_pkcs8(*key))}));
  const auto added = keyd.next<VaultEntry>();
  CHECK(added.public_key == authorized_keys_line(*ssh_public_key(*key), "sallyport:old"));
  CHECK(added.fingerprint == fingerprint(ssh_public_key(*key)->blob));
  CHECK(answer_of(keyd) == "ok: key old added");

  for (const char* type : {"ed25519", "ecdsa", "rsa"}) {
    REQUIRE(keyd.peer.send(VaultGenerate{std::string("new-") + type, type}));
    CHECK(keyd.next<VaultEntry>().name == std::string("new-") + type);
    CHECK(keyd.next<Answer>().ok);
  }
  REQUIRE(keyd.peer.send(VaultRemove{"old"}));
  CHECK(answer_of(keyd) == "ok: key old removed");
  REQUIRE(keyd.peer.send(VaultList{}));
  for (const char* name : {"new-ecdsa", "new-ed25519", "new-rsa"}) {
    CHECK(keyd.next<VaultEntry>().name == name);
  }
  CHECK(answer_of(keyd) == "ok: ");
}

TEST_CASE("keyd says why it does not take a key, and goes on") {
  RunningKeyd keyd;
  REQUIRE(keyd.peer.send(VaultAdd{"x", SecretBytes(std::string_view("nonsense"))}));
  CHECK(answer_of(keyd).find("no: not a private key") == 0);
  REQUIRE(keyd.peer.send(VaultGenerate{"x", "dsa"}));
  CHECK(answer_of(keyd).find("no: a key's type is") == 0);
  REQUIRE(keyd.peer.send(VaultGenerate{"../x", "ed25519"}));
  CHECK(answer_of(keyd).find("no: a key's name is") == 0);
  REQUIRE(keyd.peer.send(VaultRemove{"x"}));
  CHECK(answer_of(keyd).find("no: the vault has no key x") == 0);
}

TEST_CASE("without authd there is no signer, and the answer comes at once") {
  RunningKeyd keyd;
  const Id session = Id::random();
  const auto before = std::chrono::steady_clock::now();
  REQUIRE(keyd.peer.send(AskSigner{Id::random(), session}));
  const auto signer = keyd.next<Signer>();
  CHECK(signer.session == session);
  CHECK(!signer.ok);
  CHECK(signer.text.find("authd is not there") == 0);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(2));
}

TEST_CASE("an authd that is silent fails one request within its time and holds up nobody") {
  RunningKeyd keyd;
  const auto silent = listen_peer(keyd.folder / "authd");
  REQUIRE(silent);
  REQUIRE(keyd.peer.send(AskSigner{Id::random(), Id::random()}));
  REQUIRE(keyd.peer.send(VaultList{}));
  CHECK(answer_of(keyd) == "ok: ");
  const auto signer = keyd.next<Signer>();
  CHECK(!signer.ok);
  CHECK(signer.text == "authd did not answer within 5 s");
}

TEST_CASE("an authd that hangs up fails the requests at once") {
  RunningKeyd keyd;
  auto listener = listen_peer(keyd.folder / "authd");
  REQUIRE(listener);
  REQUIRE(keyd.peer.send(AskSigner{Id::random(), Id::random()}));
  pollfd p{listener->get(), POLLIN, 0};
  REQUIRE(::poll(&p, 1, 5000) == 1);
  UniqueFd(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
  CHECK(keyd.next<Signer>().text.find("the connection to authd was lost") == 0);
}

TEST_CASE("messages that keyd does not answer end the conversation, not keyd") {
  RunningKeyd keyd;
  REQUIRE(keyd.peer.send(KeysList{}));
  CHECK(is_closed_after(keyd.peer));
  keyd.peer = Peer(std::move(*connect_peer(keyd.folder / "socket")));
  const uint8_t garbage[] = {1, 2, 3};
  REQUIRE(::send(keyd.peer.fd(), garbage, sizeof garbage, 0) == 3);
  CHECK(is_closed_after(keyd.peer));
  keyd.peer = Peer(std::move(*connect_peer(keyd.folder / "socket")));
  REQUIRE(keyd.peer.send(VaultList{}));
  CHECK(answer_of(keyd) == "ok: ");
}

namespace {

struct SocketRun {
  std::string answer;
  bool closed = false;
};

// Runs one AgentSocket until it ends, with `input` waiting on the other end.
SocketRun run_agent_socket(const std::vector<uint8_t>& input, OneSignatureAgent agent,
                           std::chrono::milliseconds lifetime) {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  const UniqueFd client(fds[0]);
  EventLoop loop;
  SocketRun run;
  std::unique_ptr<AgentSocket> socket;
  socket = std::make_unique<AgentSocket>(
      loop, UniqueFd(fds[1]), Id::random(), std::move(agent),
      [&] {
        socket.reset();
        loop.stop();
      },
      lifetime);
  REQUIRE(::send(client.get(), input.data(), input.size(), 0) ==
          static_cast<ssize_t>(input.size()));
  loop.run();
  char buffer[8192];
  for (ssize_t size = 0; (size = ::read(client.get(), buffer, sizeof buffer)) > 0;) {
    run.answer.append(buffer, static_cast<size_t>(size));
  }
  run.closed = true;
  return run;
}

}  // namespace

TEST_CASE("a signer's socket ends at the second signature") {
  TestSigner signer;
  const auto request = framed(sign_request(signer.key.blob, signer.text().bytes(), 0));
  auto twice = request;
  twice.insert(twice.end(), request.begin(), request.end());
  const auto run = run_agent_socket(twice, std::move(signer.agent), std::chrono::seconds(20));
  REQUIRE(run.answer.size() > 10);
  CHECK(run.answer[4] == 14);
  CHECK(run.answer.substr(run.answer.size() - 5) == std::string("\0\0\0\1\5", 5));
}

TEST_CASE("a signer's socket that is not used ends in its time") {
  TestSigner signer;
  const auto before = std::chrono::steady_clock::now();
  const auto run =
      run_agent_socket(framed({11}), std::move(signer.agent), std::chrono::milliseconds(300));
  CHECK(run.answer.size() > 5);
  CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(300));
  CHECK(AgentSocket::kLifetime == std::chrono::seconds(60));
}

TEST_CASE("a signer's socket is gone soon after it has signed") {
  TestSigner signer;
  const auto before = std::chrono::steady_clock::now();
  const auto run = run_agent_socket(framed(sign_request(signer.key.blob, signer.text().bytes(), 0)),
                                    std::move(signer.agent), AgentSocket::kLifetime);
  CHECK(run.answer[4] == 14);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(10));
}
