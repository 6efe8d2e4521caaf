// SPDX-License-Identifier: Apache-2.0
#include "bastion/back/client.h"

#include "shared/base/log.h"
#include "shared/base/printable.h"
#include "shared/ssh/algorithms.h"
#include "shared/ssh/large_reads.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sallyport::back {

namespace {

constexpr auto kLoginTime = std::chrono::seconds(30);
constexpr auto kHandOverTime = std::chrono::seconds(2);
constexpr int kMaxDrains = 32;  // per wake-up, each of 4 KiB

template <class Value>
void set_option(ssh_session session, enum ssh_options_e option, const Value* value) {
  if (ssh_options_set(session, option, value) != SSH_OK) {
    fatal("libssh refuses an option");
  }
}

}  // namespace

Client::Client(UniqueFd target, Peer monitor, UniqueFd agent, BackStart start)
    : target_(std::move(target)),
      vanished_(target_.get()),
      keepalive_(std::chrono::seconds(start.keepalive_s)),
      monitor_(std::move(monitor)),
      start_(std::move(start)),
      session_(ssh_new()),
      host_key_(session_.get(), start_.target, start_.host_keys) {
  const int on = 1;
  ::setsockopt(target_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ssh_session s = session_.get();
  const bool off = false;
  const int fd = target_.get();
  // No SSH_OPTIONS_HOST: with a name libssh would open known_hosts files, which kills a sandboxed
  // process; the pins come from the grant.
  set_option(s, SSH_OPTIONS_PROCESS_CONFIG, &off);
  set_option(s, SSH_OPTIONS_SSH_DIR, "/nonexistent");
  set_option(s, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
  set_option(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  set_option(s, SSH_OPTIONS_USER, start_.login.c_str());
  set_option(s, SSH_OPTIONS_FD, &fd);
  set_option(s, SSH_OPTIONS_KEY_EXCHANGE, kKeyExchanges);
  set_option(s, SSH_OPTIONS_COMPRESSION, "no");
  const std::string host_keys = host_key_.algorithms();
  if (!host_keys.empty()) {
    set_option(s, SSH_OPTIONS_HOSTKEYS, host_keys.c_str());
  }
  // AES-GCM first; older targets may have nothing but ChaCha20 or CTR with a MAC.
  const std::string ciphers =
      std::string(kCiphers) + ",chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr";
  const std::string macs = std::string(kMacs) + ",hmac-sha2-256,hmac-sha2-512";
  set_option(s, SSH_OPTIONS_CIPHERS_C_S, ciphers.c_str());
  set_option(s, SSH_OPTIONS_CIPHERS_S_C, ciphers.c_str());
  set_option(s, SSH_OPTIONS_HMAC_C_S, macs.c_str());
  set_option(s, SSH_OPTIONS_HMAC_S_C, macs.c_str());
  ssh_set_agent_socket(s, agent.release());  // libssh closes it
  ssh_set_blocking(s, 0);
}

// Comes from inside of libssh, which would go on to what was sent under the other key: so this
// process ends here.
void Client::end_for_wrong_key(const Error& why) {
  log_warning("another host key", {{"target", start_.target}, {"why", why.message}});
  (void)monitor_.send(SessionFailed{"sallyport: " + why.message});
  hand_over();
  ::_exit(1);
}

int Client::run() {
  const Status in = log_in();
  if (!in) {
    log_warning("no login at the target", {{"target", start_.target}, {"why", in.error().message}});
    (void)monitor_.send(SessionFailed{"sallyport: " + in.error().message});
    return 1;
  }
  const char* version = ssh_get_serverbanner(session_.get());
  (void)monitor_.send(BackReady{printable(version == nullptr ? "" : version, 100)});
  channels_ = std::make_unique<Channels>(session_.get(), monitor_);
  serve();
  ssh_blocking_flush(session_.get(), 200);
  ssh_disconnect(session_.get());
  return 0;
}

Status Client::log_in() {
  if (start_.host_keys.empty()) {
    return Error{Errc::denied, start_.target +
                                   " has no pinned host key; the administrator pins it "
                                   "with: sallyportctl target add --scan"};
  }
  if (Status connected = connect(); !connected) {
    return connected;
  }
  host_key_.when_wrong([this](const Error& why) { end_for_wrong_key(why); });
  if (Status in = authenticate(); !in) {
    return in;
  }
  event_.reset(ssh_event_new());
  ssh_event_add_session(event_.get(), session_.get());
  return ok();
}

bool Client::target_is_gone() const {
  return vanished_.is_gone() ||
         (ssh_get_status(session_.get()) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0 ||
         ssh_is_connected(session_.get()) == 0;
}

// False when time is up or the monitor is gone.
bool Client::wait_for_target(Clock::time_point deadline) {
  pollfd fds[2] = {{ssh_get_fd(session_.get()), POLLIN, 0}, {monitor_.fd(), 0, 0}};
  if ((ssh_get_poll_flags(session_.get()) & SSH_WRITE_PENDING) != 0) {
    fds[0].events |= POLLOUT;
  }
  ::poll(fds, 2, 200);
  return Clock::now() < deadline && (fds[1].revents & (POLLHUP | POLLERR)) == 0;
}

Status Client::connect() {
  const auto deadline = Clock::now() + kLoginTime;
  int result = ssh_connect(session_.get());
  const int fd = ssh_get_fd(session_.get());
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  read_ahead_of(fd);
  while (result == SSH_AGAIN) {
    if (!wait_for_target(deadline)) {
      return Error{Errc::io, start_.target + " does not finish the key exchange"};
    }
    result = ssh_connect(session_.get());
  }
  if (result != SSH_OK) {
    return Error{Errc::io, "no SSH connection to " + start_.target + ": " +
                               printable(ssh_get_error(session_.get())) +
                               " (does the target still offer a pinned type of host key?)"};
  }
  return host_key_.verdict();
}

Status Client::authenticate() {
  const auto deadline = Clock::now() + kLoginTime;
  int result = SSH_AUTH_AGAIN;
  while ((result = ssh_userauth_agent(session_.get(), nullptr)) == SSH_AUTH_AGAIN) {
    if (!wait_for_target(deadline)) {
      return Error{Errc::io, start_.target + " does not finish the login"};
    }
  }
  if (result != SSH_AUTH_SUCCESS) {
    return Error{Errc::denied, start_.target + " does not accept the bastion's key for " +
                                   start_.login +
                                   "; its public half belongs into authorized_keys there "
                                   "(sallyportctl vault public NAME)"};
  }
  return ok();
}

void Client::wait(int timeout_ms) {
  // Whatever libssh call came last may have read that the target leaves; its descriptor is gone
  // then.
  if (has_buffered_input() || target_is_gone()) {
    timeout_ms = 0;
  }
  const int write = (ssh_get_poll_flags(session_.get()) & SSH_WRITE_PENDING) != 0 ? POLLOUT : 0;
  pollfd fds[2] = {
      {ssh_get_fd(session_.get()), static_cast<short>(POLLIN | write), 0},
      {monitor_.fd(), static_cast<short>(POLLIN | (monitor_.wants_write() ? POLLOUT : 0)), 0}};
  const int bounded_ms = vanished_.bounded_ms(keepalive_.bounded_ms(timeout_ms));
  const int ready = ::poll(fds, 2, bounded_ms);
  if (ready < 0 && errno != EINTR) {
    fatal("poll failed");
  }
  const bool heard = (fds[0].revents & POLLIN) != 0;
  const bool sent = keepalive_.send_if_due(session_.get(), heard);
  vanished_.look_if_due(ready > 0 || sent);
  monitor_ready_ = fds[1].revents != 0;
}

void Client::drain_ssh() {
  for (int i = 0; i < kMaxDrains; ++i) {
    const int result = ssh_event_dopoll(event_.get(), 0);
    if (result == SSH_ERROR || result == SSH_AGAIN || target_is_gone()) {
      return;
    }
  }
}

bool Client::receive_from_monitor() {
  if (!monitor_.flush()) {
    return false;
  }
  while (monitor_ready_) {
    auto received = monitor_.receive();
    if (!received) {
      return false;
    }
    if (!*received) {
      break;
    }
    if ((*received)->type == MessageType::session_failed) {
      return false;
    }
    const Status taken = channels_->receive(**received);
    if (!taken) {
      fatal("the monitor breaks the protocol: " + taken.error().message);
    }
  }
  return true;
}

// What waits for the monitor, the reason of the end last.
void Client::hand_over() {
  const auto deadline = Clock::now() + kHandOverTime;
  while (monitor_.wants_write() && Clock::now() < deadline) {
    pollfd monitor{monitor_.fd(), POLLOUT, 0};
    ::poll(&monitor, 1, 100);
    if (!monitor_.flush()) {
      return;
    }
  }
}

void Client::serve() {
  while (receive_from_monitor()) {
    drain_ssh();
    channels_->read_requests();
    channels_->pump();
    if (target_is_gone() || channels_->broken()) {
      channels_->pump();
      (void)monitor_.send(
          SessionFailed{"sallyport: the connection to " + start_.target + " is gone"});
      return hand_over();
    }
    wait(channels_->wait_ms());
  }
}

}  // namespace sallyport::back
