// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/jumps.h"

#include "bastion/monitor/forward_destination.h"
#include "shared/base/log.h"
#include "shared/base/printable.h"

#include <utility>

namespace sallyport::monitor {

namespace {

constexpr size_t kMaxAtOnce = 64;
constexpr const char* kRestarted = "sallyport: this bastion was restarted; connect again";

}  // namespace

Status Jumps::open(const ForwardOpen& message) {
  if (message.kind != ChannelKind::direct_tcpip || message.channel < next_number_) {
    return Error{Errc::protocol, "a connection out of turn"};
  }
  next_number_ = message.channel + 1;
  if (!is_host_text(message.host)) {
    return front_.send(ChannelRefused{message.channel, "sallyport: no such target"});
  }
  if (!gate_) {
    return front_.send(ChannelRefused{message.channel, kRestarted});
  }
  if (asked_.size() + starting_.size() >= kMaxAtOnce) {
    return front_.send(ChannelRefused{message.channel, "sallyport: too many at once; try again"});
  }
  asked_.insert(message.channel);
  return authd_.send(AskJumpTarget{message.channel, message.host, message.port});
}

Status Jumps::target_known(const JumpTarget& message) {
  if (asked_.erase(message.channel) == 0) {
    return Error{Errc::protocol, "a target that nobody asked for"};
  }
  if (message.target.empty()) {
    log_info("jump refused", {{"why", message.text}});
    return front_.send(ChannelRefused{message.channel, "sallyport: " + printable(message.text)});
  }
  if (!gate_) {
    return front_.send(ChannelRefused{message.channel, kRestarted});
  }
  starting_.insert(message.channel);
  return gate_.send(StartJump{message.channel, grant_, message.target});
}

Status Jumps::started(const JumpStarted& message, std::vector<UniqueFd>& fds) {
  if (starting_.erase(message.channel) == 0 || (message.ok && fds.size() != 1)) {
    return Error{Errc::protocol, "a session that nobody asked for"};
  }
  if (!message.ok) {
    log_info("jump refused", {{"why", message.text}});
    return front_.send(ChannelRefused{message.channel, "sallyport: " + printable(message.text)});
  }
  return front_.send(ChannelStarted{message.channel, true}, {fds[0].get()});
}

void Jumps::gate_is_gone() {
  for (const uint32_t channel : std::exchange(starting_, {})) {
    (void)front_.send(ChannelRefused{channel, kRestarted});
  }
}

}  // namespace sallyport::monitor
