// SPDX-License-Identifier: Apache-2.0
#include "bastion/gate/session.h"

#include "shared/base/log.h"

#include <sys/epoll.h>
#include <sys/wait.h>

#include <csignal>

namespace sallyport::gate {

namespace {

// What is left of a session may say good-bye for this long after its monitor has gone.
constexpr auto kFarewellTime = std::chrono::milliseconds(6000);
constexpr auto kSessionStopTime = std::chrono::milliseconds(1500);  // when the bastion stops

constexpr AllowedMessage<Session> kFromMonitor[] = {
    allow<&Session::answer_start_back>(in(0), Times::once),
    allow<&Session::answer_start_jump>(in(0), Times::many),
};

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ",") + name;
  }
  return list;
}

std::string describe_end(int status) {
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Session::Session(Surroundings& around, std::string address, std::optional<JumpOrigin> jump)
    : around_(around), address_(std::move(address)), jump_(std::move(jump)) {}

Session::~Session() {
  if (grace_) {
    around_.loop.cancel(*grace_);
  }
  if (control_) {
    around_.loop.unwatch(control_.fd());
  }
}

Status Session::start(UniqueFd client) {
  auto control = make_peer_pair();
  auto front = make_peer_pair();
  auto back = make_peer_pair();
  if (!control || !front || !back) {
    return Error{Errc::io, "no descriptors left for a session"};
  }
  back_end_ = std::move(back->second);
  control_ = Peer(std::move(control->first));
  if (const Status up = start_monitor(std::move(control->second), std::move(front->first),
                                      std::move(back->first));
      !up) {
    return up;
  }
  if (const Status up = start_front(client, front->second); !up) {
    return up;
  }
  around_.loop.watch(control_.fd(), EPOLLIN, [this](uint32_t events) { on_control(events); });
  const std::weak_ptr<Session> weak = weak_from_this();
  grace_ = around_.loop.call_after(around_.config.login.grace, [weak] {
    const auto self = weak.lock();
    if (self && !self->has_grant_) {
      self->terminate("the time to log in is over; connect again");
    }
  });
  return control_.send(SessionStart{id_, address_, around_.config.node, jump_.has_value()});
}

Status Session::start_monitor(UniqueFd control, UniqueFd front, UniqueFd back) {
  auto authd = connect_peer(around_.config.socket_path("authd"));
  if (!authd) {
    return authd.error();
  }
  // What this session is, from us: the monitor could only claim it.
  Peer origin(std::move(*authd));
  const Status told = origin.send(
      LoginOrigin{id_, address_, jump_ ? jump_->outer : Id(), jump_ ? jump_->target : ""});
  if (!told || origin.wants_write()) {
    return Error{Errc::io, "authd does not listen"};
  }
  *authd = origin.release();
  auto stored = connect_peer(around_.config.socket_path("stored"));
  if (!stored) {
    return stored.error();
  }
  const auto pid = around_.nurseries.monitor.fork_child(
      {}, {control.get(), front.get(), back.get(), authd->get(), stored->get()});
  if (!pid) {
    return pid.error();
  }
  monitor_ = *pid;
  return ok();
}

Status Session::start_front(const UniqueFd& client, const UniqueFd& monitor) {
  std::vector<int> descriptors{client.get(), monitor.get()};
  std::vector<std::string> arguments{std::to_string(around_.host_keys.size()),
                                     joined(around_.config.ciphers),
                                     std::to_string(around_.config.keepalive.count())};
  if (jump_) {
    descriptors.push_back(around_.jump_key.get());
    arguments.push_back(jump_->target);
  }
  for (const UniqueFd& key : around_.host_keys) {
    if (!jump_) {
      descriptors.push_back(key.get());
    }
  }
  const auto pid = around_.nurseries.front.fork_child(arguments, descriptors);
  if (!pid) {
    return pid.error();
  }
  front_ = *pid;
  return ok();
}

void Session::on_control(uint32_t) {
  Status status = control_.flush();
  while (status) {
    auto received = control_.receive();
    if (!received || !*received) {
      status = received ? ok() : Status(received.error());
      break;
    }
    status = dispatch<Session>(kFromMonitor, *this, 0, seen_, **received);
  }
  if (!status) {
    if (status.error().code == Errc::protocol) {
      log_error("the monitor breaks the protocol",
                {{"session", id_.hex()}, {"why", status.error().message}});
      if (monitor_ != 0) {  // reaped already: kill(0) would end our whole process group
        ::kill(monitor_, SIGKILL);
      }
    }
    around_.loop.unwatch(control_.fd());
    control_.close();
  }
}

Status Session::answer_start_back(const StartBack& message) {
  const std::weak_ptr<Session> weak = weak_from_this();
  const Id grant = message.grant;
  around_.confirmer.confirm(grant, id_, [weak, grant](Result<GrantFacts> facts) {
    const auto self = weak.lock();
    if (!self || !facts) {
      return self ? self->fail(facts.error().message) : void();
    }
    self->has_grant_ = true;  // authd's word, not the monitor's
    self->around_.signer.ask_signer(grant, self->id_,
                                    [weak, facts = *facts](Result<UniqueFd> agent) {
                                      const auto still = weak.lock();
                                      if (still && agent) {
                                        still->start_back(facts, std::move(*agent));
                                      } else if (still) {
                                        still->fail(agent.error().message);
                                      }
                                    });
  });
  return ok();
}

Status Session::answer_start_jump(const StartJump& message) {
  const std::weak_ptr<Session> weak = weak_from_this();
  around_.jump_confirmer.confirm(message.grant, id_, [weak, message](Result<GrantFacts> facts) {
    const auto self = weak.lock();
    if (!self || !self->control_) {
      return;
    }
    auto socket = facts ? self->around_.start_jump(self->id_, self->address_, message.target)
                        : Result<UniqueFd>(facts.error());
    self->has_grant_ = self->has_grant_ || facts.has_value();
    if (socket) {
      self->has_inner_ = true;
      (void)self->control_.send(JumpStarted{message.channel, true, ""}, {socket->get()});
    } else {
      (void)self->control_.send(JumpStarted{message.channel, false, socket.error().message});
    }
  });
  return ok();
}

void Session::start_back(const GrantFacts& facts, UniqueFd agent) {
  auto control = make_peer_pair();
  if (!control || !back_end_) {
    return fail("no descriptors left");
  }
  // The start message waits in its socket until back reads it.
  Peer start(std::move(control->first));
  if (!start.send(BackStart{id_, facts.target, facts.target_address, facts.login,
                            static_cast<uint32_t>(around_.config.keepalive.count()),
                            facts.host_keys, around_.own_listeners})) {
    return fail("the start message is too long");
  }
  const auto pid =
      around_.nurseries.back.fork_child({}, {back_end_.get(), agent.get(), control->second.get()});
  if (!pid) {
    return fail(pid.error().message);
  }
  back_ = *pid;
  back_end_.reset();
}

void Session::fail(const std::string& text) {
  log_warning("no way to the target", {{"session", id_.hex()}, {"why", text}});
  if (control_) {
    (void)control_.send(SessionFailed{"sallyport: " + text});
  }
}

bool Session::on_exit(pid_t pid, int status) {
  struct Part {
    const char* role;
    Nursery& nursery;
    pid_t& process;
  };
  const auto& [role, nursery, process] =
      pid == monitor_ ? Part{"monitor", around_.nurseries.monitor, monitor_}
      : pid == front_ ? Part{"front", around_.nurseries.front, front_}
                      : Part{"back", around_.nurseries.back, back_};
  process = 0;
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
    nursery.replace();
  }
  if (status != 0) {
    log_warning("a session process ended",
                {{"session", id_.hex()}, {"role", role}, {"how", describe_end(status)}});
  }
  if (monitor_ == 0 && !ending_) {
    ending_ = true;
    back_end_.reset();
    const std::weak_ptr<Session> weak = weak_from_this();
    around_.loop.call_after(kFarewellTime, [weak] {
      if (const auto self = weak.lock()) {
        self->kill_left();
      }
    });
  }
  return !has_processes();
}

void Session::kill_left() {
  for (const pid_t pid : {monitor_, front_, back_}) {
    if (pid != 0) {
      ::kill(pid, SIGKILL);
    }
  }
}

void Session::terminate(const std::string& text) {
  if (control_) {
    (void)control_.send(SessionFailed{"sallyport: " + text});
  }
  const std::weak_ptr<Session> weak = weak_from_this();
  around_.loop.call_after(kSessionStopTime, [weak] {
    if (const auto self = weak.lock()) {
      self->kill_left();
    }
  });
}

}  // namespace sallyport::gate
