// SPDX-License-Identifier: Apache-2.0
#include "bastion/front/server.h"

#include "shared/base/log.h"
#include "shared/ssh/algorithms.h"
#include "shared/ssh/channel_outlet.h"
#include "shared/ssh/large_reads.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace sallyport::front {

namespace {

constexpr auto kKeyExchangeTime = std::chrono::seconds(30);
constexpr int kMaxDrains = 32;  // per wake-up, each of 4 KiB
constexpr int kVersionMs = 100;
// A client that is still opening its channel on a busy machine must hear why it may not.
constexpr auto kFarewellTime = std::chrono::milliseconds(5000);

// Clients send their version at once (RFC 4253 section 4.2), mostly with the last packet of the TCP
// handshake. One that waits for ours first gets what every client knows.
bool is_openssh(int client) {
  pollfd readable{client, POLLIN, 0};
  char version[64];
  if (::poll(&readable, 1, kVersionMs) <= 0) {
    return false;
  }
  const ssize_t size = ::recv(client, version, sizeof version, MSG_PEEK);
  return size > 0 && std::string_view(version, static_cast<size_t>(size)).find("OpenSSH") !=
                         std::string_view::npos;
}

void set_list(ssh_bind bind, enum ssh_bind_options_e option, const char* value) {
  if (ssh_bind_options_set(bind, option, value) != SSH_OK) {
    fatal("libssh refuses an option");
  }
}

SshBind make_bind(std::vector<SshKey> keys, const std::string& configured, bool for_openssh) {
  const std::string ciphers = !configured.empty() ? configured
                              : for_openssh       ? kCiphers
                                                  : kOtherClientsCiphers;
  const char* macs = for_openssh ? kMacs : kOtherClientsMacs;
  SshBind bind(ssh_bind_new());
  const bool off = false;
  ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_PROCESS_CONFIG, &off);
  for (SshKey& key : keys) {
    // The bind owns the key that it imports.
    if (ssh_bind_options_set(bind.get(), SSH_BIND_OPTIONS_IMPORT_KEY, key.release()) != SSH_OK) {
      fatal("libssh refuses a host key");
    }
  }
  // Only a server that calls itself OpenSSH is told that a reader has left (eow@openssh.com),
  // without which `ssh bastion yes | head -1` never ends.
  set_list(bind.get(), SSH_BIND_OPTIONS_BANNER, "OpenSSH_9.9-Sallyport");
  set_list(bind.get(), SSH_BIND_OPTIONS_KEY_EXCHANGE, kKeyExchanges);
  set_list(bind.get(), SSH_BIND_OPTIONS_CIPHERS_C_S, ciphers.c_str());
  set_list(bind.get(), SSH_BIND_OPTIONS_CIPHERS_S_C, ciphers.c_str());
  set_list(bind.get(), SSH_BIND_OPTIONS_HMAC_C_S, macs);
  set_list(bind.get(), SSH_BIND_OPTIONS_HMAC_S_C, macs);
  set_list(bind.get(), SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, kClientKeyTypes);
  return bind;
}

}  // namespace

Server::Server(UniqueFd client, Peer monitor, std::vector<SshKey> host_keys,
               const Settings& settings)
    : client_(std::move(client)),
      vanished_(client_.get()),
      keepalive_(settings.keepalive),
      monitor_(std::move(monitor)),
      bind_(make_bind(std::move(host_keys), settings.ciphers, is_openssh(client_.get()))),
      session_(ssh_new()),
      is_jump_(settings.is_jump) {
  const int on = 1;
  ::setsockopt(client_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const bool off = false;
  ssh_options_set(session_.get(), SSH_OPTIONS_PROCESS_CONFIG, &off);
  ssh_options_set(session_.get(), SSH_OPTIONS_COMPRESSION, "no");
  if (ssh_bind_accept_fd(bind_.get(), session_.get(), client_.get()) != SSH_OK) {
    fatal("libssh does not take the connection");
  }
  static_cast<void>(client_.release());  // the session closes it
  ssh_set_auth_methods(session_.get(), SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_INTERACTIVE);
  ssh_set_blocking(session_.get(), 0);
}

int Server::run() {
  if (!exchange_keys()) {
    return 0;
  }
  auth_ = std::make_unique<UserAuth>(session_.get(), monitor_, is_jump_);
  if (log_in()) {
    serve();
  }
  return 0;
}

bool Server::client_is_gone() const {
  return vanished_.is_gone() ||
         (ssh_get_status(session_.get()) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0 ||
         ssh_is_connected(session_.get()) == 0;
}

void Server::wait(int timeout_ms) {
  // Whatever libssh call came last may have read that the client leaves; its descriptor is gone
  // then.
  if (has_buffered_input() || client_is_gone()) {
    timeout_ms = 0;
  }
  const int flags = ssh_get_poll_flags(session_.get());
  const int write = (flags & SSH_WRITE_PENDING) != 0 ? POLLOUT : 0;
  polled_.clear();
  polled_.push_back({ssh_get_fd(session_.get()), static_cast<short>(POLLIN | write), 0});
  if (!session_over_) {
    const int flush = monitor_.wants_write() ? POLLOUT : 0;
    polled_.push_back({monitor_.fd(), static_cast<short>(POLLIN | flush), 0});
  }
  if (channels_) {
    channels_->add_to_poll(polled_);
  }
  const int bounded_ms =
      vanished_.bounded_ms(channels_ ? keepalive_.bounded_ms(timeout_ms) : timeout_ms);
  const int ready = ::poll(polled_.data(), polled_.size(), bounded_ms);
  if (ready < 0 && errno != EINTR) {
    fatal("poll failed");
  }
  const bool heard = (polled_[0].revents & POLLIN) != 0;
  const bool sent = channels_ && keepalive_.send_if_due(session_.get(), heard);
  vanished_.look_if_due(ready > 0 || sent);
  monitor_ready_ = !session_over_ && polled_[1].revents != 0;
}

bool Server::exchange_keys() {
  const int fd = ssh_get_fd(session_.get());
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  read_ahead_of(fd);
  const auto deadline = Clock::now() + kKeyExchangeTime;
  for (;;) {
    const int result = ssh_handle_key_exchange(session_.get());
    if (result == SSH_OK) {
      break;
    }
    if (result == SSH_ERROR || client_is_gone() || Clock::now() > deadline) {
      log_info("no key exchange", {{"why", ssh_get_error(session_.get())}});
      return false;
    }
    wait(1000);
    if (!receive_from_monitor()) {
      return false;
    }
  }
  event_.reset(ssh_event_new());
  return event_ && ssh_event_add_session(event_.get(), session_.get()) == SSH_OK;
}

void Server::drain_ssh() {
  for (int i = 0; i < kMaxDrains; ++i) {
    const int result = ssh_event_dopoll(event_.get(), 0);
    if (result == SSH_ERROR || result == SSH_AGAIN || client_is_gone()) {
      return;
    }
  }
}

// False when the session is over as far as the monitor is concerned; nothing more is read then.
bool Server::receive_from_monitor() {
  if (!session_over_ && !monitor_.flush()) {
    session_over_ = true;
  }
  while (!session_over_ && monitor_ready_) {
    auto received = monitor_.receive();
    if (!received) {
      session_over_ = true;
      break;
    }
    if (!*received) {
      break;
    }
    Received& message = **received;
    if (message.type == MessageType::session_failed) {
      const auto failed = decode<SessionFailed>(message.body);
      end_text_ = failed ? failed->text : "";
      session_over_ = true;
      break;
    }
    const Status taken = channels_ != nullptr ? channels_->receive(message)
                         : auth_ != nullptr   ? auth_->receive(message)
                                              : Status(Error{Errc::protocol, "too early"});
    if (!taken) {
      fatal("the monitor breaks the protocol: " + taken.error().message);
    }
  }
  return !session_over_;
}

bool Server::log_in() {
  while (auth_->state() == UserAuth::State::running) {
    drain_ssh();
    auth_->read_requests();
    if (client_is_gone()) {
      return false;
    }
    // The end of a session can come together with its beginning: then the channels get the reason.
    if (!receive_from_monitor() && auth_->state() != UserAuth::State::in) {
      disconnect(end_text_.empty() ? "the bastion ends this connection" : end_text_);
      return false;
    }
    if (auth_->state() != UserAuth::State::running) {
      break;
    }
    wait(auth_->wait_ms());
    auth_->keep_awake();
  }
  if (auth_->state() == UserAuth::State::failed) {
    disconnect(auth_->text());
    return false;
  }
  // From here on requests come by callback; what was read ahead is handed over first.
  channels_ = std::make_unique<Channels>(session_.get(), monitor_, auth_->text(), auth_->allowed());
  return true;
}

void Server::serve() {
  for (;;) {
    drain_ssh();
    channels_->read_requests();
    if (client_is_gone() || channels_->broken()) {
      channels_->pump();  // what it said last
      return;
    }
    const bool monitor_lives = receive_from_monitor();
    channels_->pump();
    if (!monitor_lives) {
      return end_channels();
    }
    wait(channels_->wait_ms());
  }
}

// The session ends from our side: every channel gets the reason and exit status 254, also one that
// the client is only just opening. Then the client has a moment to leave by itself: to one that we
// leave first the stock ssh adds a line of its own, and without a channel its exit status is 255.
void Server::end_channels() {
  const std::string text = end_text_.empty()
                               ? "sallyport: the recorder of this session is gone, so it ends here"
                               : end_text_;
  channels_->end_all(text);
  const auto deadline = Clock::now() + kFarewellTime;
  while (Clock::now() < deadline && !client_is_gone()) {
    drain_ssh();
    channels_->read_requests();
    channels_->pump();
    wait(50);
  }
  disconnect(text);
}

void Server::disconnect(const std::string& text) {
  if (client_is_gone()) {
    return;
  }
  if (!text.empty()) {
    ssh_session_set_disconnect_message(session_.get(), text.c_str());
  }
  ssh_blocking_flush(session_.get(), 500);
  channels_.reset();  // libssh frees what they point to
  ssh_disconnect(session_.get());
}

}  // namespace sallyport::front
