// SPDX-License-Identifier: Apache-2.0
#include "bastion/gate/gate.h"

#include "bastion/gate/listeners.h"
#include "shared/base/log.h"
#include "shared/base/socket_address.h"
#include "shared/base/tcp_keepalive.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <csignal>

namespace sallyport::gate {

namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr int kJumpBufferBytes = 512 * 1024;
constexpr auto kAcceptPause = std::chrono::seconds(1);
constexpr auto kStopTime = std::chrono::seconds(3);

}  // namespace

Gate::Gate(EventLoop& loop, const Config& config, std::vector<UniqueFd> listeners,
           std::vector<UniqueFd> host_keys, UniqueFd jump_key, const std::string& libexec,
           Daemons daemons)
    : loop_(loop),
      config_(config),
      listeners_(std::move(listeners)),
      daemons_(std::move(daemons)),
      nurseries_(libexec),
      confirmer_(loop, config.socket_path("authd"), Purpose::dial),
      jump_confirmer_(loop, config.socket_path("authd"), Purpose::jump),
      signer_(loop, config.socket_path("keyd")),
      around_{loop,
              config,
              nurseries_,
              std::move(host_keys),
              std::move(jump_key),
              listener_addresses(listeners_),
              confirmer_,
              jump_confirmer_,
              signer_} {
  around_.start_jump = [this](const Id& outer, const std::string& address,
                              const std::string& target) {
    return start_jump(outer, address, target);
  };
}

int Gate::run() {
  loop_.on_signals({SIGTERM, SIGINT, SIGCHLD}, [this](int signal) { on_signal(signal); });
  for (Nursery* nursery : nurseries_.all()) {
    if (const Status started = nursery->start(); !started) {
      log_error("cannot start", {{"why", started.error().message}});
      return 1;
    }
  }
  for (const UniqueFd& listener : listeners_) {
    const int fd = listener.get();
    loop_.watch(fd, EPOLLIN, [this, fd](uint32_t) { accept_clients(fd); });
  }
  for (const std::string& address : around_.own_listeners) {
    log_info("listening", {{"address", address}});
  }
  ::sd_notify(0, "READY=1");
  reap();  // a child may have ended before its signal was watched
  loop_.run();
  daemons_.stop();
  return exit_status_;
}

void Gate::accept_clients(int listener) {
  for (int i = 0; i < kAcceptsPerTurn && !stopping_; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    UniqueFd client(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                              SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // The socket stays readable: without a pause this loop would spin.
        log_error("no descriptor for a connection");
        loop_.change(listener, 0);
        loop_.call_after(kAcceptPause, [this, listener] { loop_.change(listener, EPOLLIN); });
      }
      return;
    }
    set_tcp_keepalive(client.get());
    start_session(std::move(client), numeric_host(reinterpret_cast<const sockaddr*>(&address)));
  }
}

bool Gate::has_room(std::string& why) const {
  const auto waiting = static_cast<uint32_t>(std::count_if(
      sessions_.begin(), sessions_.end(), [](const auto& s) { return !s.second->has_grant(); }));
  why = sessions_.size() >= config_.max_sessions ? "limits.max_sessions"
        : waiting >= config_.max_unauthenticated ? "limits.max_unauthenticated"
                                                 : "";
  return why.empty();
}

void Gate::start_session(UniqueFd client, std::string address) {
  std::string why;
  if (!has_room(why)) {
    log_warning("connection refused", {{"address", address}, {"why", why + " is reached"}});
    return;
  }
  keep(std::make_shared<Session>(around_, address), std::move(client), address);
}

Result<UniqueFd> Gate::start_jump(const Id& outer, const std::string& address,
                                  const std::string& target) {
  std::string why;
  if (!has_room(why) || stopping_) {
    return Error{Errc::limit, "this bastion takes no more sessions now (" + why + ")"};
  }
  if (!around_.jump_key) {
    return Error{Errc::not_found,
                 "this bastion has no jump.key_file, so it does not serve ssh -J; an administrator "
                 "makes one with: openssl rand -hex 32"};
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return errno_error("socketpair");
  }
  UniqueFd front(ends[0]);
  UniqueFd outer_front(ends[1]);
  for (const int end : ends) {
    ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kJumpBufferBytes, sizeof kJumpBufferBytes);
  }
  keep(std::make_shared<Session>(around_, address, JumpOrigin{outer, target}), std::move(front),
       address);
  return outer_front;
}

void Gate::keep(std::shared_ptr<Session> session, UniqueFd client, const std::string& address) {
  const Status started = session->start(std::move(client));
  if (!started) {
    log_error("no session", {{"address", address}, {"why", started.error().message}});
    session->terminate("the session cannot be started");
  }
  // Nobody would ever tell us of the end of a session that has no process.
  if (session->has_processes()) {
    sessions_[session->id()] = std::move(session);
  }
}

void Gate::on_signal(int signal) {
  if (signal == SIGCHLD) {
    reap();
  } else {
    stop(0);
  }
}

void Gate::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const std::string name = daemons_.name_of(pid);
    if (name == "witness" && !stopping_) {
      daemons_.forget(pid);
      log_error("the witness daemon has died: the log's checkpoints go nowhere until a restart");
    } else if (!name.empty() && !stopping_) {
      log_error("a daemon has died, so the bastion stops", {{"daemon", name}});
      stop(1);
    }
    for (Nursery* nursery : nurseries_.all()) {
      if (nursery->is(pid)) {
        log_warning("a nursery has died", {{"pid", std::to_string(pid)}});
        nursery->stop();
      }
    }
    const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                    [pid](const auto& s) { return s.second->owns(pid); });
    if (found != sessions_.end() && found->second->on_exit(pid, status)) {
      sessions_.erase(found);
    }
  }
  if (stopping_ && sessions_.empty()) {
    loop_.stop();
  }
}

void Gate::stop(int exit_status) {
  if (stopping_) {
    return;
  }
  stopping_ = true;
  exit_status_ = exit_status;
  ::sd_notify(0, "STOPPING=1");
  for (const UniqueFd& listener : listeners_) {
    loop_.unwatch(listener.get());
  }
  if (!daemons_.any()) {
    std::erase_if(sessions_, [](const auto& one) { return one.second->is_established(); });
  }
  for (const auto& [id, session] : sessions_) {
    session->terminate("the bastion is stopping");
  }
  loop_.call_after(kStopTime, [this] { loop_.stop(); });
  if (sessions_.empty()) {
    loop_.stop();
  }
}

}  // namespace sallyport::gate
