// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/device_reply.h"
#include "bastion/authd/oidc/provider.h"

#include <chrono>
#include <memory>
#include <string>
#include <variant>

namespace sallyport {

// What the person at the terminal is shown. All of it has been checked to be printable.
struct DevicePrompt {
  std::string verification_uri;
  std::string verification_uri_complete;  // may be empty
  std::string user_code;
  std::chrono::sys_seconds valid_until;
};

// One login by RFC 8628, as a state machine that never sleeps: start() once, then poll() when
// next_poll() has come, until the answer is not Pending. Both block for one HTTP call. Not for use
// by two threads at once. Dropping the object ends the flow: nobody polls any more.
//
// The pace: the provider's interval or 5 s; slow_down adds 5, then 10, then 15 s (a flat +5, which
// the RFC has, polled one provider into expiry). A reply that says nothing (5xx, a proxy's page, a
// timeout) doubles the pause up to 60 s; the ninth such reply in a row ends the flow,
// as does the deadline: with an `io` error then, not as Expired. Who approved in the last interval
// before the deadline is still let in: the poll that is due then is made, as the last.
class DeviceFlow {
public:
  struct Pending {};
  struct Denied {};
  struct Expired {};
  using Answer = std::variant<Pending, Tokens, Denied, Expired, Error>;

  explicit DeviceFlow(Provider& provider) : provider_(provider) {}

  // Errors: `io` where the provider cannot be reached, `denied` with its own words where it refuses
  // this client, `protocol` where the reply makes no sense.
  Result<DevicePrompt> start();
  Answer poll();

  // When to call poll() next; the deadline where the poll after it would come too late, or while
  // the provider says nothing.
  SteadyTime next_poll() const {
    const auto last = deadline_ + (failures_ == 0 ? kLastPollWithin : std::chrono::seconds(0));
    return next_ <= last ? next_ : deadline_;
  }
  SteadyTime deadline() const { return deadline_; }
  std::chrono::seconds interval() const { return interval_; }

private:
  static constexpr std::chrono::seconds kLastPollWithin{10};

  Answer judge(TokenReply reply);
  Answer judge_error(const OauthError& error);
  Answer back_off(std::string what);
  Answer run_out();
  SteadyTime now() const { return provider_.clock().steady(); }

  Provider& provider_;
  std::shared_ptr<const Metadata> metadata_;  // of the start: one flow, one set of endpoints
  SecretBytes device_code_;                   // empty before the start and after the end
  std::string code_verifier_;
  std::chrono::seconds interval_{5};
  std::chrono::seconds pause_{0};  // while backing off
  int slow_downs_ = 0;
  int failures_ = 0;
  SteadyTime next_{};
  SteadyTime deadline_{};
};

}  // namespace sallyport
