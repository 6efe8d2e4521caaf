// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/device_flow.h"
#include "bastion/authd/oidc/person.h"
#include "shared/ipc/event_loop.h"
#include "shared/ipc/workers.h"

#include <functional>
#include <memory>
#include <variant>

namespace sallyport {

struct SignInStarted {
  DevicePrompt prompt;
  SteadyTime deadline;
  SteadyTime next_poll;
};
struct SignInPending {
  SteadyTime next_poll;
};
struct SignInApproved {
  Person person;
};
struct SignInDenied {};
struct SignInExpired {};
struct SignInFailed {
  Error error;
};
using SignInEvent = std::variant<SignInStarted, SignInPending, SignInApproved, SignInDenied,
                                 SignInExpired, SignInFailed>;

// One device flow, as the loop sees it: the calls that block run in the workers, at the flow's own
// pace, and what they found comes as events in the loop's thread: Started, then Pending at each
// poll, then one of the others; Failed may come at any time and is the last. The sink may destroy
// this object. Destroying it ends the polling: a call that is on its way is the last.
class SignIn {
public:
  using Sink = std::function<void(SignInEvent)>;

  SignIn(EventLoop& loop, Workers& workers, std::shared_ptr<Provider> provider, Sink sink);
  ~SignIn();
  SignIn(const SignIn&) = delete;
  SignIn& operator=(const SignIn&) = delete;

private:
  struct Flow {  // shared with the job that runs; one job at a time
    explicit Flow(std::shared_ptr<Provider> from) : provider(std::move(from)), device(*provider) {}
    std::shared_ptr<Provider> provider;
    DeviceFlow device;
  };
  using Step = SignInEvent (*)(Flow&);
  static SignInEvent start(Flow& flow);
  static SignInEvent poll(Flow& flow);

  bool submit(Step step);
  void poll_at(SteadyTime when);
  void deliver(SignInEvent event);

  EventLoop& loop_;
  Workers& workers_;
  Sink sink_;
  std::shared_ptr<Flow> flow_;
  EventLoop::TimerId timer_ = 0;
  std::shared_ptr<SignIn*> self_;  // gone with us: how a completion learns that nobody waits
};

}  // namespace sallyport
