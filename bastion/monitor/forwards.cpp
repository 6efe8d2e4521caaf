// SPDX-License-Identifier: Apache-2.0
//
// Connections that are carried through a session: who may open one to where, and what the target
// may open towards the user because the user has asked for it.
#include "bastion/monitor/channels.h"
#include "bastion/monitor/forward_destination.h"
#include "shared/base/log.h"
#include "shared/base/names.h"
#include "shared/base/printable.h"

#include <algorithm>

namespace sallyport::monitor {

namespace {

constexpr size_t kMaxListeners = 32;

bool matches_any(const std::vector<std::string>& globs, const std::string& text) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return glob_matches(glob, text); });
}

std::string listen_place(const ListenAsk& ask) {
  return host_and_port(ask.address.empty() ? "*" : ask.address, ask.port);
}

}  // namespace

// Nothing: it may be opened.
std::optional<std::string> Channels::why_not(const ForwardOpen& open) const {
  const uint32_t allowed = session_.grant.allowed;
  switch (open.kind) {
    case ChannelKind::direct_tcpip:
      if (!allows(allowed, Allowed::local_forward)) {
        return "no role of yours allows local-forward on " + session_.grant.target;
      }
      if (const auto denied = why_never_forwarded(open.host)) {
        return denied;
      }
      return matches_any(session_.grant.forward_to, host_and_port(open.host, open.port))
                 ? std::nullopt
                 : std::optional("no role of yours forwards to " +
                                 printable(host_and_port(open.host, open.port)));
    case ChannelKind::forwarded_tcpip: {
      // By the port alone: targets differ in how they spell the address.
      const bool asked = std::any_of(listening_.begin(), listening_.end(),
                                     [&](const auto& one) { return one.port == open.port; });
      return asked ? std::nullopt : std::optional<std::string>("nobody has asked to listen there");
    }
    case ChannelKind::agent:
      return asked_agent_ ? std::nullopt : std::optional<std::string>("nobody has asked for it");
    case ChannelKind::x11:
      return asked_x11_ ? std::nullopt : std::optional<std::string>("nobody has asked for it");
    default:
      return "no such kind of connection";
  }
}

void Channels::refuse_forward(const ForwardOpen& open, const std::string& why) {
  log_info("forward refused", {{"session", session_.session.hex()},
                               {"kind", name_of(open.kind)},
                               {"to", printable(host_and_port(open.host, open.port))},
                               {"why", why}});
  if (open.channel >= kFirstTargetChannel) {
    to_back(ChannelRefused{open.channel, ""});
  } else {
    to_front(ChannelRefused{open.channel, "sallyport: " + why});
  }
}

Status Channels::open_by_user(const ForwardOpen& message) {
  if (message.kind != ChannelKind::direct_tcpip) {
    return out_of_turn("a connection");
  }
  if (const Status opened = open(ChannelOpen{message.channel}); !opened) {
    return opened;
  }
  if (const auto why = why_not(message)) {
    channels_.erase(message.channel);
    refuse_forward(message, *why);
    return ok();
  }
  Channel& channel = channels_.at(message.channel);
  channel.forward = message;
  channel.start = {message.channel, message.kind, host_and_port(message.host, message.port)};
  return ask_recording(message.channel, channel);
}

Status Channels::open_by_target(const ForwardOpen& message) {
  if (message.channel != next_target_number_ || message.kind < ChannelKind::forwarded_tcpip) {
    return out_of_turn("a connection");
  }
  ++next_target_number_;
  const bool is_full = channels_.size() >= kMaxChannels;
  if (const auto why =
          is_full ? std::optional<std::string>("too many channels") : why_not(message)) {
    refuse_forward(message, *why);
    return ok();
  }
  Channel& channel = channels_.emplace(message.channel, Channel{}).first->second;
  channel.forward = message;
  channel.by_target = true;
  const std::string from = host_and_port(message.origin, message.origin_port);
  channel.start = {message.channel, message.kind, message.origin.empty() ? "" : "from " + from};
  return ask_recording(message.channel, channel);
}

Status Channels::started_by_user(const ChannelStarted& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::starting || !channel->by_target || !message.ok) {
    return out_of_turn("an answer to a connection");
  }
  channel->step = Step::running;
  to_back(message);
  return ok();
}

Status Channels::refused_by_user(const ChannelRefused& message) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::starting || !channel->by_target) {
    return out_of_turn("an answer to a connection");
  }
  forget_refused(message.channel, *channel, printable(message.text));
  return ok();
}

// Neither side keeps anything of a connection that was not opened.
void Channels::forget_refused(uint32_t number, Channel& channel, const std::string& text) {
  log_info("forward refused", {{"session", session_.session.hex()},
                               {"kind", name_of(channel.start.kind)},
                               {"to", printable(channel.start.command)},
                               {"why", text}});
  if (channel.by_target) {
    to_back(ChannelRefused{number, ""});
  } else {
    to_front(ChannelRefused{number, text});
    if (channel.step == Step::starting) {
      to_back(ChannelClose{number});
    }
  }
  finish(number, channel, "refused");
  channels_.erase(number);
}

// --- listening at the target (-R)

Status Channels::listen_ask(const ListenAsk& message) {
  if (listen_asked_ || cancel_asked_) {
    return out_of_turn("a request to listen");
  }
  const std::string place = listen_place(message);
  const bool may = allows(session_.grant.allowed, Allowed::remote_forward) &&
                   listening_.size() < kMaxListeners && is_host_text(message.address) &&
                   matches_any(session_.grant.listen_on, place);
  log_info(may ? "listen" : "listen refused",
           {{"session", session_.session.hex()}, {"at", printable(place)}});
  if (!may) {
    to_front(ListenAnswer{false, 0});
    return ok();
  }
  listen_asked_ = message;
  if (back_is_ready_) {
    to_back(message);
  }
  return ok();
}

Status Channels::listen_cancel(const ListenCancel& message) {
  if (listen_asked_ || cancel_asked_) {
    return out_of_turn("a request to listen");
  }
  const bool known = std::any_of(listening_.begin(), listening_.end(), [&](const auto& one) {
    return one.address == message.address && one.port == message.port;
  });
  if (!known) {
    to_front(ListenAnswer{false, 0});
    return ok();
  }
  cancel_asked_ = message;
  to_back(message);
  return ok();
}

Status Channels::listen_answer(const ListenAnswer& message) {
  if (!listen_asked_ && !cancel_asked_) {
    return out_of_turn("an answer to a request to listen");
  }
  if (listen_asked_ && message.ok) {
    const uint16_t port = listen_asked_->port == 0 ? message.port : listen_asked_->port;
    listening_.push_back({listen_asked_->address, port});
  }
  if (cancel_asked_ && message.ok) {
    std::erase_if(listening_, [&](const auto& one) {
      return one.address == cancel_asked_->address && one.port == cancel_asked_->port;
    });
  }
  listen_asked_.reset();
  cancel_asked_.reset();
  to_front(message);
  return ok();
}

}  // namespace sallyport::monitor
