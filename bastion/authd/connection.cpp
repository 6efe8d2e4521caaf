// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/connection.h"

#include "bastion/authd/server.h"
#include "shared/base/log.h"

#include <sys/epoll.h>

namespace sallyport {

namespace {
// A revoked session has ended by itself long before; R7 gives it 5 s.
constexpr std::chrono::seconds kHangUpAfter{4};
constexpr size_t kMaxQueuedBytes = 8 * 1024 * 1024;
}  // namespace

std::span<const Connection::Rule> Connection::rules() {
  using enum State;
  static constexpr Rule table[] = {
      allow<&Connection::answer_login_origin>(in(fresh), Times::once),
      allow<&Connection::answer_key_login>(in(login), Times::many),
      allow<&Connection::answer_prompt_login>(in(login), Times::once),
      allow<&Connection::answer_jump_login>(in(login), Times::once),
      allow<&Connection::answer_jump_target>(in(session), Times::many),
      allow<&Connection::answer_prompt_answer>(in(prompted, refused), Times::many),
      allow<&Connection::answer_confirm_grant>(in(fresh, confirm), Times::many),
      allow<&Connection::answer_keys_list>(in(fresh, administration), Times::many),
      allow<&Connection::answer_key_revoke>(in(fresh, administration), Times::many),
      allow<&Connection::answer_key_register>(in(fresh, administration), Times::many),
      allow<&Connection::answer_sessions_list>(in(fresh, administration), Times::many),
      allow<&Connection::answer_session_kill>(in(fresh, administration), Times::many),
      allow<&Connection::answer_reload>(in(fresh, administration), Times::many),
  };
  return table;
}

Connection::Connection(Server& server, uint64_t number, UniqueFd socket, uid_t uid)
    : server_(server),
      number_(number),
      uid_(uid),
      peer_(std::move(socket)),
      login_(server.login_context_) {
  server_.loop_.watch(peer_.fd(), EPOLLIN, [this](uint32_t events) { on_events(events); });
}

Connection::~Connection() {
  server_.loop_.unwatch(peer_.fd());
  server_.loop_.cancel(wake_up_);
  server_.loop_.cancel(hang_up_);
  if (grant_) {
    server_.grants_.remove(*grant_);
    log_info("grant_ended", {{"grant", grant_->hex()}});
  }
}

void Connection::on_events(uint32_t events) {
  Status status = (events & EPOLLOUT) != 0 ? peer_.flush() : ok();
  if (status && (events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) {
    status = receive_all(peer_, [this](Received& received) { return answer(received); });
  }
  if (!status) {
    drop(status.error());
    return;
  }
  server_.loop_.change(peer_.fd(), peer_.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

Status Connection::answer(Received& received) {
  if (!server_.callers_.may_ask(uid_, received.type)) {
    return Error{Errc::denied, "message " + std::to_string(static_cast<unsigned>(received.type)) +
                                   " is not for user " + std::to_string(uid_)};
  }
  return dispatch(rules(), *this, state_, seen_, received);
}

Status Connection::after_sending(Status sent) {
  if (!sent) {
    return sent;
  }
  if (peer_.queued_bytes() > kMaxQueuedBytes) {
    return Error{Errc::limit, "the peer does not take its answers"};
  }
  if (peer_.wants_write()) {
    server_.loop_.change(peer_.fd(), EPOLLIN | EPOLLOUT);
  }
  return ok();
}

void Connection::drop(const Error& why) {
  if (why.code != Errc::io) {  // io: the peer has gone, as all do
    log_warning("connection_dropped", {{"uid", std::to_string(uid_)}, {"why", why.message}});
  }
  server_.drop(number_);
}

void Connection::revoke(const std::string& why) {
  if (grant_) {
    log_info("grant_revoked", {{"grant", grant_->hex()}, {"why", why}});
  }
  grant_.reset();
  const bool told = send(GrantRevoked{why}).has_value();
  server_.loop_.cancel(hang_up_);
  hang_up_ = server_.loop_.call_after(told ? kHangUpAfter : std::chrono::seconds(0), [this] {
    drop({Errc::limit, "a revoked session did not end by itself"});
  });
}

bool Connection::end_sign_in(const std::string& fingerprint) {
  LoginSteps steps = login_.key_revoked(fingerprint);
  const bool was_waiting = !steps.empty();
  if (!perform(std::move(steps))) {
    log_warning("sign_in_not_told",
                {{"fingerprint", fingerprint}});  // its end is seen as any other
  }
  return was_waiting;
}

// --- login

Status Connection::answer_login_origin(const LoginOrigin& origin) {
  state_ = State::login;
  return login_.arrive(origin);
}

Status Connection::answer_jump_login(const AskJumpLogin& ask) {
  return perform(
      login_.jump_wanted(ask, server_.grants_.find_session(login_.outer()), Now::read()));
}

Status Connection::answer_jump_target(const AskJumpTarget& ask) {
  const auto live = grant_ ? server_.grants_.all().find(*grant_) : server_.grants_.all().end();
  if (live == server_.grants_.all().end()) {
    return send(JumpTarget{ask.channel, "", "this login is over"});
  }
  const auto target =
      find_jump_target(*server_.login_context_.config, live->second.who.groups, ask.host, ask.port);
  return send(target ? JumpTarget{ask.channel, *target, ""}
                     : JumpTarget{ask.channel, "", target.error().message});
}

Status Connection::answer_key_login(const AskKeyLogin& ask) {
  state_ = State::login;
  return perform(login_.key_proven(ask, Now::read()));
}

Status Connection::answer_prompt_login(const AskPromptLogin& ask) {
  state_ = State::login;
  return perform(login_.prompt_wanted(ask, Now::read()));
}

// What was typed before Enter says nothing and is not looked at. An answer that crossed our refusal
// on its way comes too late.
Status Connection::answer_prompt_answer(const PromptAnswer&) {
  if (state_ == State::refused) {
    return ok();
  }
  state_ = State::login;
  return perform(login_.prompt_answered(Now::read()));
}

Status Connection::perform(Result<LoginSteps> steps) {
  if (!steps) {
    return steps.error();
  }
  for (LoginStep& step : *steps) {
    const Status done = std::visit([this](auto& what) { return perform_step(what); }, step);
    if (!done) {
      return done;
    }
  }
  return ok();
}

Status Connection::perform_step(Verdict& verdict) {
  if (verdict.login != Login::more && verdict.login != Login::try_another) {
    state_ = State::refused;
    sign_in_.reset();
  }
  return send(verdict);
}

Status Connection::perform_step(Prompt& prompt) {
  state_ = State::prompted;
  return send(prompt);
}

Status Connection::perform_step(Renewal& renewal) {
  server_.renew(renewal);
  return ok();
}

Status Connection::perform_step(Admission& admission) {
  state_ = State::session;
  sign_in_.reset();
  const auto id = server_.grants_.add(admission, number_);
  if (!id) {
    return id.error();
  }
  grant_ = *id;
  const bool has_target = !admission.right.target.empty();
  log_info(has_target ? "login_accepted" : "login_without_target",
           {{"session", admission.session.hex()},
            {"grant", id->hex()},
            {"person", admission.person},
            {"subject", admission.subject},
            {"target", admission.right.target},
            {"login", admission.right.login},
            {"address", admission.address},
            {"fingerprint", admission.fingerprint}});
  return send(grant_message(*id, admission, *server_.login_context_.config));
}

Status Connection::perform_step(StartSignIn&) {
  sign_in_ = std::make_unique<SignIn>(
      server_.loop_, server_.workers_, server_.provider_, [this](const SignInEvent& event) {
        const Status done = perform(login_.sign_in(event, Now::read()));
        if (!done) {
          drop(done.error());
        }
      });
  return ok();
}

Status Connection::perform_step(WakeUp& wake_up) {
  server_.loop_.cancel(wake_up_);
  const auto delay =
      std::chrono::ceil<std::chrono::milliseconds>(wake_up.when - std::chrono::steady_clock::now());
  wake_up_ = server_.loop_.call_after(delay, [this] {
    wake_up_ = 0;
    const Status done = perform(login_.woken(Now::read()));
    if (!done) {
      drop(done.error());
    }
  });
  return ok();
}

// --- gate, keyd, stored

Status Connection::answer_confirm_grant(const ConfirmGrant& question) {
  state_ = State::confirm;
  if (!server_.callers_.may_confirm(uid_, question.purpose)) {
    return Error{Errc::denied, "user " + std::to_string(uid_) + " may not use a grant for that"};
  }
  const GrantFacts facts =
      server_.grants_.confirm(question, *server_.login_context_.config, Now::read().unix_ms());
  if (!facts.valid) {
    log_warning(
        "grant_not_confirmed",
        {{"session", question.session.hex()}, {"uid", std::to_string(uid_)}, {"why", facts.text}});
  }
  return send(facts);
}

}  // namespace sallyport
