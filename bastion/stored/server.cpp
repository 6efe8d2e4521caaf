// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/server.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/ipc/sandbox.h"

#include <pwd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sallyport::stored {

struct Server::Client {
  Client(Server& its_server, Peer its_peer) : server(its_server), peer(std::move(its_peer)) {}

  Status answer_open_recording(const OpenRecording& asked);
  Status answer_recording_ended(const RecordingEnded& ended);

  Server& server;
  Peer peer;
  Id session;  // of the first question; one connection, one session
  std::set<uint32_t> open;
  std::set<MessageType> seen;
  std::weak_ptr<Client> self;
};

namespace {

constexpr auto kAcceptPause = std::chrono::seconds(1);

// The users whose monitors may ask: the session processes' user, or ourselves where everything
// runs as one user. And root, as which gate looks whether we listen.
std::set<uid_t> allowed_users() {
  std::set<uid_t> users{0, ::geteuid()};
  if (const passwd* entry = ::getpwnam(kSessionUser)) {
    users.insert(entry->pw_uid);
  }
  return users;
}

}  // namespace

Server::Server(EventLoop& loop, const Config& config, RecordingsFolder folder, UniqueFd listener)
    : loop_(loop),
      folder_(std::move(folder)),
      syncer_(folder_.fd()),
      listener_(std::move(listener)),
      confirmer_(loop, config.socket_path("authd"), Purpose::record),
      allowed_(allowed_users()) {
  loop_.watch(listener_.get(), EPOLLIN, [this](uint32_t) { accept(); });
}

void Server::accept() {
  UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // The socket stays readable: without a pause the loop would spin.
      log_error("no descriptor for a connection");
      loop_.change(listener_.get(), 0);
      loop_.call_after(kAcceptPause, [this] { loop_.change(listener_.get(), EPOLLIN); });
    }
    return;
  }
  const auto user = peer_uid(fd.get());
  if (!user || !allowed_.contains(*user)) {
    log_warning("a stranger was turned away", {{"uid", user ? std::to_string(*user) : "unknown"}});
    return;
  }
  auto client = std::make_shared<Client>(*this, Peer(std::move(fd)));
  client->self = client;
  const int number = client->peer.fd();
  clients_[number] = client;
  loop_.watch(number, EPOLLIN, [this, client](uint32_t events) { on_ready(*client, events); });
}

void Server::on_ready(Client& client, uint32_t) {
  static constexpr AllowedMessage<Client> kFromMonitor[] = {
      allow<&Client::answer_open_recording>(in(0), Times::many),
      allow<&Client::answer_recording_ended>(in(0), Times::many),
  };
  Status status = client.peer.flush();
  while (status) {
    auto received = client.peer.receive();
    if (!received || !*received) {
      status = received ? ok() : Status(received.error());
      break;
    }
    status = dispatch<Client>(kFromMonitor, client, 0, client.seen, **received);
  }
  if (!status) {
    if (status.error().code == Errc::protocol) {
      log_error("a monitor breaks the protocol", {{"why", status.error().message}});
    }
    return close(client);
  }
  loop_.change(client.peer.fd(),
               client.peer.wants_write() ? EPOLLIN | EPOLLOUT : static_cast<uint32_t>(EPOLLIN));
}

void Server::close(Client& client) {
  const int number = client.peer.fd();
  loop_.unwatch(number);
  clients_.erase(number);
  count_open();
}

void Server::count_open() {
  size_t open = 0;
  for (const auto& [number, client] : clients_) {
    open += client->open.size();
  }
  syncer_.set_open(open);
}

Status Server::Client::answer_open_recording(const OpenRecording& asked) {
  if (!session.is_zero() && session != asked.session) {
    return Error{Errc::protocol, "a second session on one connection"};
  }
  if (peer.wants_write()) {  // each answer holds a descriptor
    return Error{Errc::protocol, "the monitor does not read its answers"};
  }
  if (open.size() >= 2 * kMaxChannels ||  // some that the monitor has given up already
      !open.insert(asked.channel).second) {
    return Error{Errc::protocol, "a recording asked for twice, or one too many"};
  }
  session = asked.session;
  server.confirmer_.confirm(asked.grant, asked.session,
                            [weak = self, asked](const Result<GrantFacts>& facts) {
                              if (const auto client = weak.lock()) {
                                client->server.answer(weak, asked, facts);
                              }
                            });
  return ok();
}

void Server::answer(const std::weak_ptr<Client>& weak, const OpenRecording& asked,
                    const Result<GrantFacts>& facts) {
  const auto client = weak.lock();
  auto file =
      facts ? folder_.create(asked.session, asked.channel) : Result<UniqueFd>(facts.error());
  if (!file) {
    log_error("no recording", {{"session", asked.session.hex()}, {"why", file.error().message}});
    client->open.erase(asked.channel);
    const bool no_right = !facts && file.error().code == Errc::denied;
    (void)client->peer.send(
        RecordingOpened{asked.channel, false,
                        (no_right ? "" : "this session cannot be recorded, so it is not opened: ") +
                            file.error().message});
    return;
  }
  log_info("recording", {{"session", asked.session.hex()},
                         {"channel", std::to_string(asked.channel)},
                         {"target", facts->target}});
  (void)client->peer.send(RecordingOpened{asked.channel, true, ""}, {file->get()});
  loop_.change(client->peer.fd(),
               client->peer.wants_write() ? EPOLLIN | EPOLLOUT : static_cast<uint32_t>(EPOLLIN));
  count_open();
}

Status Server::Client::answer_recording_ended(const RecordingEnded& ended) {
  if (open.erase(ended.channel) == 0 || ended.chain_head.size() > 32 || ended.reason.size() > 32) {
    return Error{Errc::protocol, "the end of a recording that is not open, or not one"};
  }
  log_info("recorded", {{"session", session.hex()},
                        {"channel", std::to_string(ended.channel)},
                        {"frames", std::to_string(ended.frames)},
                        {"head", to_hex(as_bytes(ended.chain_head))},
                        {"reason", ended.reason}});
  server.count_open();
  return ok();
}

}  // namespace sallyport::stored
