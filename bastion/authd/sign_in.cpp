// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/sign_in.h"

#include "shared/base/overloaded.h"

namespace sallyport {

namespace {
constexpr std::chrono::seconds kBusyPause{1};
}  // namespace

SignIn::SignIn(EventLoop& loop, Workers& workers, std::shared_ptr<Provider> provider, Sink sink)
    : loop_(loop),
      workers_(workers),
      sink_(std::move(sink)),
      flow_(std::make_shared<Flow>(std::move(provider))),
      self_(std::make_shared<SignIn*>(this)) {
  if (!submit(&SignIn::start)) {
    // Not from the constructor: the owner does not hold us yet.
    timer_ = loop_.call_after(std::chrono::milliseconds(0), [this] {
      timer_ = 0;
      deliver(SignInFailed{{Errc::limit, "too many people are signing in at this moment"}});
    });
  }
}

SignIn::~SignIn() {
  loop_.cancel(timer_);
}

SignInEvent SignIn::start(Flow& flow) {
  auto prompt = flow.device.start();
  if (!prompt) {
    return SignInFailed{prompt.error()};
  }
  return SignInStarted{std::move(*prompt), flow.device.deadline(), flow.device.next_poll()};
}

SignInEvent SignIn::poll(Flow& flow) {
  return std::visit(Overloaded{
                        [&](const DeviceFlow::Pending&) -> SignInEvent {
                          return SignInPending{flow.device.next_poll()};
                        },
                        [&](const Tokens& tokens) -> SignInEvent {
                          auto person = identify_person(*flow.provider, tokens);
                          if (!person) {
                            return SignInFailed{person.error()};
                          }
                          return SignInApproved{std::move(*person)};
                        },
                        [](const DeviceFlow::Denied&) -> SignInEvent { return SignInDenied{}; },
                        [](const DeviceFlow::Expired&) -> SignInEvent { return SignInExpired{}; },
                        [](const Error& error) -> SignInEvent { return SignInFailed{error}; },
                    },
                    flow.device.poll());
}

bool SignIn::submit(Step step) {
  return workers_.submit(
      [flow = flow_, self = std::weak_ptr(self_), step]() -> Workers::Completion {
        // A flow that nobody waits for any more asks nothing of the provider, however long the job
        // stood in the queue.
        if (self.expired()) {
          return [] {};
        }
        return [self, event = step(*flow)] {
          if (const auto alive = self.lock()) {
            (*alive)->deliver(event);
          }
        };
      });
}

void SignIn::poll_at(SteadyTime when) {
  const auto delay =
      std::chrono::ceil<std::chrono::milliseconds>(when - std::chrono::steady_clock::now());
  timer_ = loop_.call_after(std::max(delay, std::chrono::milliseconds(0)), [this] {
    timer_ = 0;
    if (!submit(&SignIn::poll)) {
      poll_at(std::chrono::steady_clock::now() + kBusyPause);
    }
  });
}

void SignIn::deliver(SignInEvent event) {
  if (const auto* started = std::get_if<SignInStarted>(&event)) {
    poll_at(started->next_poll);
  } else if (const auto* pending = std::get_if<SignInPending>(&event)) {
    poll_at(pending->next_poll);
  }
  const Sink sink = sink_;
  sink(std::move(event));  // may destroy us
}

}  // namespace sallyport
