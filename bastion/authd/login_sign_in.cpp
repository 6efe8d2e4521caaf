// SPDX-License-Identifier: Apache-2.0
//
// The second half of a login: from the first prompt to the person who approved it.
#include "bastion/authd/key_owner.h"
#include "bastion/authd/login.h"
#include "bastion/authd/oidc/claim_mapping.h"
#include "bastion/authd/prompt_text.h"
#include "shared/base/log.h"
#include "shared/base/overloaded.h"
#include "shared/base/printable.h"

#include <algorithm>
#include <iterator>

namespace sallyport {

namespace {

// Who has pressed Enter may well have approved a moment ago: worth a short wait for a poll that is
// due, never a poll before the provider's interval is over.
constexpr std::chrono::seconds kWaitForPoll{3};
constexpr std::chrono::seconds kWaitForEnter{30};  // after the deadline, of who approved in time
constexpr size_t kMaxAskedAgain = 100;
constexpr const char* kCannotRemember =
    "the sign-in was approved, but the bastion cannot remember your key; ask an administrator of "
    "this bastion";

}  // namespace

LoginSteps LoginConversation::sign_in(const SignInEvent& event, const Now& now) {
  if (stage_ == Stage::finished) {
    return {};
  }
  return std::visit(
      Overloaded{
          [&](const SignInStarted& started) { return show_prompt(started, now); },
          [&](const SignInPending& pending) -> LoginSteps {
            next_poll_ = pending.next_poll;
            return stage_ == Stage::waiting && !automatic_ ? ask_again(now) : LoginSteps{};
          },
          [&](const SignInApproved& approval) -> LoginSteps {
            if (stage_ == Stage::waiting) {
              return approved(approval.person, now);
            }
            approved_by_ = approval.person;
            return {};
          },
          [&](const SignInDenied&) {
            return finish({Login::disconnected,
                           "the sign-in was denied at the identity provider; nobody was let in"});
          },
          [&](const SignInExpired&) {
            return finish({Login::disconnected,
                           "the code ran out before it was approved; connect again for a new one"});
          },
          [&](const SignInFailed& failed) { return finish_failed(failed.error); },
      },
      event);
}

LoginSteps LoginConversation::show_prompt(const SignInStarted& started, const Now& now) {
  deadline_ = started.deadline;
  next_poll_ = started.next_poll;
  stage_ = Stage::prompting;
  const bool has_qr = context_.config->login.qr_code;
  const DevicePrompt& prompt = started.prompt;
  SignInText text{wish_.text(),
                  prompt.verification_uri,
                  !has_qr                                    ? ""
                  : prompt.verification_uri_complete.empty() ? prompt.verification_uri
                                                             : prompt.verification_uri_complete,
                  prompt.user_code,
                  printable(address_, 64),
                  fingerprint_,
                  prompt.valid_until,
                  time_left(now),
                  automatic_};
  log_info("sign_in_started",
           {{"session", session_.hex()}, {"address", address_}, {"fingerprint", fingerprint_}});
  return {Prompt{sign_in_text(text), automatic_}};
}

std::chrono::seconds LoginConversation::time_left(const Now& now) const {
  const auto left = std::chrono::round<std::chrono::seconds>(deadline_ - now.steady);
  return std::max(left, std::chrono::seconds(0));
}

Result<LoginSteps> LoginConversation::prompt_answered(const Now& now) {
  if (stage_ != Stage::prompting) {
    return Error{Errc::protocol, "an answer came without a prompt"};
  }
  if (approved_by_ && now.steady > deadline_ + kWaitForEnter) {
    return finish({Login::disconnected,
                   "the code ran out before Enter was pressed; connect again for a new one"});
  }
  if (approved_by_) {
    const Person person = std::move(*approved_by_);
    return approved(person, now);
  }
  stage_ = Stage::waiting;
  if (automatic_) {
    return LoginSteps{};
  }
  if (next_poll_ <= now.steady + kWaitForPoll) {
    return LoginSteps{WakeUp{now.steady + kWaitForPoll}};
  }
  return ask_again(now);
}

LoginSteps LoginConversation::woken(const Now& now) {
  return stage_ == Stage::waiting && !automatic_ ? ask_again(now) : LoginSteps{};
}

LoginSteps LoginConversation::ask_again(const Now& now) {
  if (++asked_again_ > kMaxAskedAgain) {
    return finish({Login::disconnected, "too many answers before the sign-in was approved"});
  }
  stage_ = Stage::prompting;
  return {Prompt{not_yet_text(time_left(now)), false}};
}

LoginSteps LoginConversation::approved(const Person& person, const Now& now) {
  if (person.mapping != claim_mapping(context_.config->identity)) {
    return finish({Login::disconnected,
                   "the bastion's identity provider, or how its claims are read, was changed "
                   "meanwhile; connect again"});
  }
  RememberedKey who;
  who.fingerprint = fingerprint_;
  who.issuer = person.issuer;
  who.subject = person.subject;
  who.person = printable(person.name, 128);
  who.groups = person.groups;
  who.claims = person.claims;
  who.mapping = person.mapping;
  who.address = address_;
  who.since_ms = now.unix_ms();
  const auto remember = std::chrono::milliseconds(context_.config->login.remember).count();
  who.until_ms = who.since_ms + static_cast<uint64_t>(remember);
  // Groups that were taken from a person are gone for every key and session, not for this one
  // alone, and whatever becomes of this login.
  LoginSteps steps = {Renewal{who.issuer, who.subject, who.groups, who.mapping}};
  auto refusal = take_up(who, person);
  LoginSteps outcome =
      refusal ? finish(std::move(*refusal)) : admit(who, person.groups_present, now);
  std::move(outcome.begin(), outcome.end(), std::back_inserter(steps));
  return steps;
}

std::optional<LoginConversation::Refusal> LoginConversation::take_up(RememberedKey& who,
                                                                     const Person& person) {
  if (const Status renewed = context_.keys.renew(who); !renewed) {
    log_error("remembering_key_failed", {{"error", renewed.error().message}});
    return Refusal{Login::disconnected, kCannotRemember};
  }
  return fingerprint_.empty() ? std::nullopt : bind_key(who, person);
}

// A key that was bound at another issuer's address is nobody's where anybody may bind a key:
// whoever proves it gets their own rights by it, and no more. What an administrator registered, or
// would have to register, stays theirs to decide.
std::optional<LoginConversation::Refusal> LoginConversation::why_not_owner(
    const RememberedKey& key, const Person& person) const {
  const bool has_moved = key.has_logged_in() && key.issuer != person.issuer;
  const bool is_open = context_.config->login.enrolment == LoginConfig::Enrolment::open;
  if (is_owner(key, person) || (has_moved && is_open && key.registered_for.empty())) {
    return std::nullopt;
  }
  const std::string name = printable(person.name, 128);
  return Refusal{Login::disconnected,
                 has_moved ? name +
                                 " approved, but this key was bound at another identity "
                                 "provider: ask an administrator of this bastion to revoke it "
                                 "and, where keys are registered, to register it again"
                           : name +
                                 " approved, but this key belongs to somebody else: sign in as "
                                 "its owner, or use a key of your own"};
}

// The binding is read again: it may have been revoked or registered while the code was waiting.
std::optional<LoginConversation::Refusal> LoginConversation::bind_key(RememberedKey& who,
                                                                      const Person& person) {
  const auto found = context_.keys.find(fingerprint_);
  auto refusal = found && *found ? why_not_owner(**found, person) : std::nullopt;
  if (refusal) {
    log_warning("sign_in_wrong_person", {{"session", session_.hex()},
                                         {"address", address_},
                                         {"fingerprint", fingerprint_},
                                         {"approved_by", who.person},
                                         {"approved_by_subject", who.subject}});
    return refusal;
  }
  if (found && !*found && context_.config->login.enrolment == LoginConfig::Enrolment::closed) {
    return Refusal{Login::disconnected, "key " + fingerprint_ + " is not registered any more"};
  }
  Status stored = found ? ok() : Status(found.error());
  if (found) {
    who.registered_for = *found ? (*found)->registered_for : "";
    stored = context_.keys.put(who);
  }
  if (!stored) {
    log_error("remembering_key_failed", {{"error", stored.error().message}});
    return Refusal{Login::disconnected, kCannotRemember};
  }
  log_info("key_remembered", {{"fingerprint", fingerprint_},
                              {"person", who.person},
                              {"subject", who.subject},
                              {"address", address_}});
  return std::nullopt;
}

LoginSteps LoginConversation::finish_failed(const Error& error) {
  log_error("sign_in_failed", {{"session", session_.hex()}, {"error", error.message}});
  switch (error.code) {
    case Errc::limit:
      return finish({Login::disconnected, printable(error.message) + "; try again in a minute"});
    case Errc::io:
      return finish({Login::disconnected,
                     "the identity provider does not answer; try again later, or ask an "
                     "administrator of this bastion"});
    default:
      return finish({Login::disconnected, "the sign-in failed: " + printable(error.message) +
                                              "; ask an administrator of this bastion"});
  }
}

}  // namespace sallyport
