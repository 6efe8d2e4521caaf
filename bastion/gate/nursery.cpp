// SPDX-License-Identifier: Apache-2.0
#include "bastion/gate/nursery.h"

#include "bastion/gate/spawn.h"
#include "shared/base/log.h"
#include "shared/ipc/nursery.h"

#include <csignal>

namespace sallyport::gate {

namespace {

constexpr int kAnswerMs = 3000;
constexpr int kMaxChildren = 64;
constexpr auto kMaxAge = std::chrono::minutes(10);

}  // namespace

Status Nursery::start() {
  auto ends = make_peer_pair();
  if (!ends) {
    return ends.error();
  }
  const auto pid = gate::spawn({program_, shown_as_ + kNurserySuffix, {}, {ends->second.get()}});
  if (!pid) {
    return pid.error();
  }
  peer_ = Peer(std::move(ends->first));
  pid_ = *pid;
  children_ = 0;
  started_ = std::chrono::steady_clock::now();
  return ok();
}

void Nursery::stop() {
  peer_.close();  // it ends by that
  pid_ = 0;
}

void Nursery::replace() {
  stop();
  if (const Status started = start(); !started) {
    log_error("a nursery does not start", {{"of", shown_as_}, {"why", started.error().message}});
  }
}

Result<pid_t> Nursery::ask(const StartChild& start_child, const std::vector<int>& fds) {
  if (pid_ == 0) {
    if (const Status started = start(); !started) {
      return started.error();
    }
  }
  if (const Status sent = peer_.send(start_child, fds); !sent) {
    return sent.error();
  }
  auto received = receive_waiting(peer_, kAnswerMs);
  if (!received) {
    ::kill(pid_, SIGKILL);
    // It closes now; an answer that it gave meanwhile is a child that we have.
    received = receive_waiting(peer_, kAnswerMs);
  }
  if (!received) {
    return received.error();
  }
  const auto child = decode_as<ChildStarted>(*received);
  if (!child) {
    return child.error();
  }
  if (child->pid == 0) {
    return Error{Errc::io, "no process is left for a session"};
  }
  return static_cast<pid_t>(child->pid);
}

Result<pid_t> Nursery::fork_child(const std::vector<std::string>& arguments,
                                  const std::vector<int>& fds) {
  if (pid_ != 0 && std::chrono::steady_clock::now() - started_ > kMaxAge) {
    replace();
  }
  auto pid = ask({arguments}, fds);
  if (!pid) {
    log_warning("a nursery is replaced", {{"of", shown_as_}, {"why", pid.error().message}});
    kill();
    pid = ask({arguments}, fds);
  }
  if (!pid) {
    kill();  // a late answer must not be taken for that to the next question
  } else if (++children_ >= kMaxChildren) {
    replace();  // now, so that it is ready when somebody comes
  }
  return pid;
}

void Nursery::kill() {
  if (pid_ != 0) {
    ::kill(pid_, SIGKILL);
  }
  stop();
}

}  // namespace sallyport::gate
