// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/monitor.h"

#include "shared/base/log.h"
#include "shared/base/printable.h"

#include <sys/epoll.h>

namespace sallyport::monitor {

namespace {

using State = Monitor::State;

constexpr uint32_t kGranted = in(State::granted);
constexpr uint32_t kAnswering = in(State::asked, State::prompted);
constexpr uint32_t kAlive =
    in(State::idle, State::asked, State::prompted, State::granted, State::jumping, State::refused);

constexpr AllowedMessage<Monitor> kFromControl[] = {
    allow<&Monitor::answer_failed>(kAlive, Times::many),
    allow<&Monitor::answer_jump_started>(in(State::jumping), Times::many),
};

constexpr AllowedMessage<Monitor> kFromFront[] = {
    allow<&Monitor::answer_key_proven>(in(State::idle), Times::many),
    allow<&Monitor::answer_prompt_wanted>(in(State::idle), Times::many),
    allow<&Monitor::answer_prompt_answer>(in(State::prompted), Times::many),
    allow<&Monitor::answer_jump_wanted>(in(State::idle), Times::once),
    allow<&Monitor::answer_open>(kGranted, Times::many),
    allow<&Monitor::answer_forward_open>(in(State::granted, State::jumping, State::refused),
                                         Times::many),
    allow<&Monitor::answer_started_by_user>(kGranted, Times::many),
    allow<&Monitor::answer_refused_by_user>(kGranted, Times::many),
    allow<&Monitor::answer_listen_ask>(kGranted, Times::many),
    allow<&Monitor::answer_listen_cancel>(kGranted, Times::many),
    allow<&Monitor::answer_x11>(kGranted, Times::many),
    allow<&Monitor::answer_agent>(kGranted, Times::many),
    allow<&Monitor::answer_break>(kGranted, Times::many),
    allow<&Monitor::answer_pty>(kGranted, Times::many),
    allow<&Monitor::answer_env>(kGranted, Times::many),
    allow<&Monitor::answer_start>(kGranted, Times::many),
    allow<&Monitor::answer_resize>(kGranted, Times::many),
    allow<&Monitor::answer_signal>(kGranted, Times::many),
    allow<&Monitor::answer_input>(kGranted, Times::many),
    allow<&Monitor::answer_input_eof>(kGranted, Times::many),
    allow<&Monitor::answer_user_close>(kGranted, Times::many),
    // Where nothing was granted front gives credit for the refusal that it has shown.
    allow<&Monitor::answer_output_credit>(in(State::granted, State::jumping, State::refused),
                                          Times::many),
};

constexpr AllowedMessage<Monitor> kFromAuthd[] = {
    allow<&Monitor::answer_prompt>(in(State::asked), Times::many),
    allow<&Monitor::answer_verdict>(kAnswering, Times::many),
    allow<&Monitor::answer_grant>(in(State::asked), Times::once),
    allow<&Monitor::answer_revoked>(in(State::granted, State::jumping), Times::once),
    allow<&Monitor::answer_jump_target>(in(State::jumping), Times::many),
};

constexpr AllowedMessage<Monitor> kFromBack[] = {
    allow<&Monitor::answer_back_ready>(kGranted, Times::once),
    allow<&Monitor::answer_failed>(kGranted, Times::many),
    allow<&Monitor::answer_open_by_target>(kGranted, Times::many),
    allow<&Monitor::answer_listen_answer>(kGranted, Times::many),
    allow<&Monitor::answer_started>(kGranted, Times::many),
    allow<&Monitor::answer_channel_refused>(kGranted, Times::many),
    allow<&Monitor::answer_output>(kGranted, Times::many),
    allow<&Monitor::answer_output_eof>(kGranted, Times::many),
    allow<&Monitor::answer_exit_status>(kGranted, Times::many),
    allow<&Monitor::answer_exit_signal>(kGranted, Times::many),
    allow<&Monitor::answer_target_close>(kGranted, Times::many),
    allow<&Monitor::answer_input_credit>(kGranted, Times::many),
};

constexpr AllowedMessage<Monitor> kFromStored[] = {
    allow<&Monitor::answer_recording_opened>(kGranted, Times::many),
};

// A frame is closed when nothing more is there to read, or at about this much.
constexpr size_t kBatchBytes = 96 * 1024;
constexpr size_t kMaxReasonBytes = 1024;
constexpr auto kKeyMargin = std::chrono::milliseconds(50);
// With stored's own time at most 30 s between a frame and its head in the node log.
constexpr auto kHeadsTime = std::chrono::seconds(15);
// front and back get this long to say good-bye before gate ends them.
constexpr auto kFarewellTime = std::chrono::milliseconds(1200);

}  // namespace

Monitor::Monitor(EventLoop& loop, Peers peers, SessionStart start)
    : loop_(loop),
      start_(std::move(start)),
      control_{std::move(peers.control), "gate", kFromControl},
      front_{std::move(peers.front), "front", kFromFront},
      back_{std::move(peers.back), "back", kFromBack},
      authd_{std::move(peers.authd), "authd", kFromAuthd},
      stored_{std::move(peers.stored), "stored", kFromStored} {
  for (Conversation* with : {&control_, &front_, &back_, &authd_, &stored_}) {
    watch(*with);
  }
}

void Monitor::watch(Conversation& with) {
  loop_.watch(with.peer.fd(), EPOLLIN, [this, &with](uint32_t events) { on_ready(with, events); });
}

void Monitor::on_ready(Conversation& with, uint32_t events) {
  Status status = (events & EPOLLOUT) != 0 ? with.peer.flush() : ok();
  if (status) {
    status = read_batch(with);
  }
  if (channels_ && state_ == State::granted) {
    if (const Status passed = channels_->pass_on(); !passed) {
      return cannot_record(passed.error());
    }
    watch_keys();
    tell_heads_later();
  }
  if (!status && state_ != State::ending) {
    return on_lost(with, status.error());
  }
  if (!status) {
    loop_.unwatch(with.peer.fd());
  }
  if (!status && &with == &front_) {
    loop_.stop();  // the user has gone: nothing is left to do
  }
  update_writes();
}

Status Monitor::read_batch(Conversation& with) {
  for (size_t bytes = 0; bytes < kBatchBytes;) {
    auto received = bytes == 0 ? with.peer.receive() : with.peer.receive_more();
    if (!received) {
      return received.error();
    }
    if (!*received) {
      return ok();
    }
    bytes += (*received)->body.size();
    if (state_ == State::ending) {
      continue;
    }
    const Status done = dispatch<Monitor>(with.table, *this, state_, with.seen, **received);
    if (!done && state_ != State::ending) {
      return done;
    }
  }
  return ok();
}

void Monitor::on_lost(Conversation& with, const Error& why) {
  const bool broken = why.code != Errc::io;
  if (broken) {
    log_error("a process breaks the protocol", {{"peer", with.name}, {"why", why.message}});
  } else if (why.message != "closed") {  // with all there still, what came could not be passed on
    end("sallyport: this session cannot go on, so it ends here (" + why.message + ")", "failed");
    return update_writes();
  }
  loop_.unwatch(with.peer.fd());
  if (&with == &front_) {
    end("", broken ? "killed" : "client");
    loop_.stop();
  } else if (&with == &back_ && state_ == State::granted) {
    end("sallyport: the connection to the target is lost", "target");
  } else if (&with == &authd_) {
    end("sallyport: the login service is gone, so this session ends; try again", "failed");
  } else if (&with == &stored_) {
    end("sallyport: the recorder is gone, so this session ends; try again", "failed");
  } else {  // gate, or back's end of its conversation, which gate keeps until back has begun
    on_gate_lost();
  }
  update_writes();
}

// gate may come and go: a session needs it only to begin.
void Monitor::on_gate_lost() {
  if (control_.peer) {
    loop_.unwatch(control_.peer.fd());
    control_.peer.close();
  }
  if (jumps_) {
    jumps_->gate_is_gone();
  } else if (!back_.seen.contains(MessageType::back_ready)) {
    end("sallyport: this bastion is restarting; connect again", "failed");
  }
}

// For the node log, while anything moves; a silent session sleeps.
void Monitor::tell_heads_later() {
  if (tells_heads_ || !channels_->has_news_for_stored()) {
    return;
  }
  tells_heads_ = true;
  loop_.call_after(kHeadsTime, [this] {
    tells_heads_ = false;
    if (state_ == State::granted) {
      (void)channels_->tell_heads();  // who has gone is noticed by reading
      update_writes();
    }
  });
}

// Keys whose echo does not come must not stay in memory when nothing else happens either.
void Monitor::watch_keys() {
  if (watches_keys_ || !channels_->keys_wait()) {
    return;
  }
  watches_keys_ = true;
  loop_.call_after(EchoMatcher::kEchoTime + kKeyMargin, [this] {
    watches_keys_ = false;
    if (state_ != State::granted) {
      return;
    }
    Status passed = channels_->pass_key_time();
    passed = passed ? channels_->pass_on() : std::move(passed);
    if (!passed) {
      return cannot_record(passed.error());
    }
    watch_keys();
    update_writes();
  });
}

void Monitor::cannot_record(const Error& why) {
  end("sallyport: this session cannot be recorded any more, so it ends here (" + why.message + ")",
      "failed");
}

void Monitor::update_writes() {
  for (Conversation* with : {&control_, &front_, &back_, &authd_, &stored_}) {
    if (with->peer && with->peer.wants_write() != with->watches_write) {
      with->watches_write = with->peer.wants_write();
      loop_.change(with->peer.fd(),
                   with->watches_write ? EPOLLIN | EPOLLOUT : static_cast<uint32_t>(EPOLLIN));
    }
  }
}

// Once: the recordings get their end, both sides the reason.
void Monitor::end(const std::string& text, const std::string& reason) {
  if (state_ == State::ending) {
    return;
  }
  state_ = State::ending;
  log_info("session ends", {{"session", start_.session.hex()}, {"reason", reason}, {"said", text}});
  if (channels_) {
    channels_->finish_all(reason);
  }
  (void)front_.peer.send(SessionFailed{text});
  (void)back_.peer.send(SessionFailed{""});
  loop_.call_after(kFarewellTime, [this] { loop_.stop(); });
  update_writes();
}

Status Monitor::answer_key_proven(const KeyProven& message) {
  state_ = State::asked;
  return authd_.peer.send(AskKeyLogin{message.user, message.algorithm, message.blob});
}

Status Monitor::answer_prompt_wanted(const PromptWanted& message) {
  state_ = State::asked;
  return authd_.peer.send(AskPromptLogin{message.user});
}

Status Monitor::answer_prompt_answer(const PromptAnswer& message) {
  state_ = State::asked;
  return authd_.peer.send(message);
}

Status Monitor::answer_jump_wanted(const AskJumpLogin& message) {
  if (!start_.is_jump) {
    return Error{Errc::protocol, "a login without a proof"};
  }
  state_ = State::asked;
  return authd_.peer.send(message);
}

Status Monitor::answer_prompt(const Prompt& message) {
  state_ = State::prompted;
  return front_.peer.send(message);
}

Status Monitor::answer_output_credit(const ChannelCredit& message) {
  return channels_ ? channels_->output_credit(message) : ok();
}

// Where nothing is granted there is nothing to reach either.
Status Monitor::answer_forward_open(const ForwardOpen& message) {
  if (state_ == State::jumping) {
    return jumps_->open(message);
  }
  if (channels_) {
    return channels_->open_by_user(message);
  }
  return front_.peer.send(ChannelRefused{message.channel, "sallyport: nothing is granted to you"});
}

Status Monitor::answer_verdict(const Verdict& message) {
  switch (message.login) {
    case Login::accepted:
      return Error{Errc::protocol, "accepted without a grant"};
    case Login::more:
    case Login::try_another:
      if (state_ == State::prompted) {
        return Error{Errc::protocol, "a verdict while the prompt stands"};
      }
      state_ = State::idle;
      break;
    case Login::refused:
      state_ = State::refused;
      return front_.peer.send(Verdict{message.login, "sallyport: " + message.text});
    case Login::disconnected:  // ssh itself says who speaks: "Received disconnect from ..."
      state_ = State::refused;
      break;
  }
  return front_.peer.send(message);
}

Status Monitor::answer_grant(const Grant& message) {
  if (message.target.empty()) {
    state_ = State::jumping;
    jumps_.emplace(front_.peer, authd_.peer, control_.peer, message.grant);
    log_info("session without a target", {{"session", start_.session.hex()},
                                          {"person", message.person},
                                          {"address", start_.address}});
    return front_.peer.send(Verdict{Login::refused, "sallyport: " + message.refusal});
  }
  state_ = State::granted;
  channels_.emplace(front_.peer, back_.peer, stored_.peer,
                    RecordedSession{start_.session, start_.node, start_.address, message});
  limits_.emplace(loop_, message, [this](const std::string& line) { end(line, "limit"); });
  log_info("session begins", {{"session", start_.session.hex()},
                              {"person", message.person},
                              {"target", message.target},
                              {"login", message.login},
                              {"address", start_.address}});
  if (const Status asked = control_.peer.send(StartBack{message.grant}); !asked) {
    return asked;
  }
  return front_.peer.send(Verdict{Login::accepted, "", message.allowed});
}

Status Monitor::answer_revoked(const GrantRevoked& message) {
  end("sallyport: " + message.text, "revoked");
  return ok();
}

Status Monitor::answer_back_ready(const BackReady&) {
  channels_->on_back_ready();
  return ok();
}

// What back said in the same batch before it failed is still the user's: the last output, the exit
// status. What cannot be recorded does not go out.
Status Monitor::answer_failed(const SessionFailed& message) {
  if (channels_) {
    (void)channels_->pass_on();
  }
  end(printable(message.text, kMaxReasonBytes), "target");
  return ok();
}

}  // namespace sallyport::monitor
