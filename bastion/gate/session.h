// SPDX-License-Identifier: Apache-2.0
//
// The processes of one session: monitor and front at once, back when a grant exists. gate passes
// descriptors and watches them die; it sees nothing of what they say to each other.
#pragma once

#include "bastion/gate/nursery.h"
#include "bastion/gate/signer_link.h"
#include "shared/config/config.h"
#include "shared/ipc/dispatch.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/grant_confirmer.h"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sallyport::gate {

// What every session needs; lives as long as gate.
struct Surroundings {
  EventLoop& loop;
  const Config& config;
  Nurseries& nurseries;
  std::vector<UniqueFd> host_keys;  // open for reading
  UniqueFd jump_key;                // open for reading; none: no ssh -J
  std::vector<std::string> own_listeners;
  GrantConfirmer& confirmer;
  GrantConfirmer& jump_confirmer;
  SignerLink& signer;
  // Starts a session inside another one; the socket is the outer front's way to it.
  std::function<Result<UniqueFd>(const Id& outer, const std::string& address,
                                 const std::string& target)>
      start_jump{};
};

// Where a session inside another one comes from.
struct JumpOrigin {
  Id outer;
  std::string target;
};

class Session : public std::enable_shared_from_this<Session> {
public:
  Session(Surroundings& around, std::string address, std::optional<JumpOrigin> jump = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Status start(UniqueFd client);
  const Id& id() const { return id_; }
  bool has_grant() const { return has_grant_; }
  // Whether it can go on without gate.
  bool is_established() const { return !ending_ && (back_ != 0 || has_inner_); }
  bool has_processes() const { return monitor_ != 0 || front_ != 0 || back_ != 0; }
  bool owns(pid_t pid) const {
    return pid != 0 && (pid == monitor_ || pid == front_ || pid == back_);
  }
  // True when the last process of the session has gone.
  bool on_exit(pid_t pid, int status);
  // The user reads the text; what is left after a moment is killed.
  void terminate(const std::string& text);

  Status answer_start_back(const StartBack& message);
  Status answer_start_jump(const StartJump& message);

private:
  Status start_monitor(UniqueFd control, UniqueFd front, UniqueFd back);
  Status start_front(const UniqueFd& client, const UniqueFd& monitor);
  void on_control(uint32_t events);
  void start_back(const GrantFacts& facts, UniqueFd agent);
  void fail(const std::string& text);
  void kill_left();

  Surroundings& around_;
  Id id_ = Id::random();
  std::string address_;
  std::optional<JumpOrigin> jump_;
  pid_t monitor_ = 0;
  pid_t front_ = 0;
  pid_t back_ = 0;
  Peer control_;
  std::optional<EventLoop::TimerId> grace_;
  UniqueFd back_end_;  // back's end of its conversation with the monitor, until back has it
  bool has_grant_ = false;
  bool has_inner_ = false;  // sessions inside this one (ssh -J), which go on through its front
  bool ending_ = false;
  std::set<MessageType> seen_;
};

}  // namespace sallyport::gate
