// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/login.h"

#include "bastion/authd/fingerprint.h"
#include "bastion/authd/oidc/claim_mapping.h"
#include "shared/base/log.h"
#include "shared/base/names.h"
#include "shared/base/printable.h"

#include <algorithm>

namespace sallyport {

namespace {
constexpr size_t kMaxKeys = 20;
constexpr size_t kMaxPendingOfAddress = 32;  // many people may share one
constexpr uint64_t kClockSlackMs = 60'000;
constexpr const char* kRevoked =
    "your key was revoked by an administrator of this bastion; ask there, or use another key";
constexpr const char* kKeyWanted =
    "this bastion asks for an SSH key first: make one with ssh-keygen, or name yours with ssh -i";
}  // namespace

uint64_t Now::unix_ms() const {
  const auto since = wall.time_since_epoch();
  return static_cast<uint64_t>(std::chrono::floor<std::chrono::milliseconds>(since).count());
}

Status LoginConversation::arrive(const LoginOrigin& origin) {
  if (origin.session.is_zero()) {
    return Error{Errc::protocol, "a login without a session"};
  }
  session_ = origin.session;
  address_ = origin.address;
  outer_ = origin.outer;
  jump_target_ = origin.jump_target;
  return ok();
}

Result<std::optional<LoginConversation::Refusal>> LoginConversation::meet(const std::string& user) {
  if (stage_ != Stage::open || session_.is_zero() || !outer_.is_zero()) {
    return Error{Errc::protocol, "a login was asked for out of turn"};
  }
  if (!has_user_) {
    has_user_ = true;
    user_ = user;
  }
  if (user != user_) {  // Warpgate, russh: names are not to change between attempts
    return std::optional(Refusal{Login::disconnected, "the user name changed during the login"});
  }
  if (was_revoked_) {
    return std::optional(Refusal{Login::disconnected, kRevoked});
  }
  auto wish = parse_typed_name(user);
  if (!wish) {
    return std::optional(Refusal{Login::disconnected, wish.error().message});
  }
  wish_ = std::move(*wish);
  return std::optional<Refusal>();
}

Result<LoginSteps> LoginConversation::key_proven(const AskKeyLogin& ask, const Now& now) {
  auto refusal = meet(ask.user);
  if (!refusal) {
    return refusal.error();
  }
  if (*refusal) {
    return finish(std::move(**refusal));
  }
  if (ask.blob.empty() || ask.blob.size() > kMaxKeyBlobBytes) {
    return Error{Errc::protocol, "a public key of " + std::to_string(ask.blob.size()) + " bytes"};
  }
  if (++keys_seen_ > kMaxKeys) {
    return finish(
        {Login::disconnected, "too many keys: name yours with ssh -i KEY -o IdentitiesOnly=yes"});
  }
  std::string fingerprint = fingerprint_of(ask.blob);
  auto binding = context_.keys.find(fingerprint);
  if (!binding) {
    log_error("remembered_key_unreadable",
              {{"fingerprint", fingerprint}, {"error", binding.error().message}});
    return finish({Login::disconnected,
                   binding.error().code == Errc::denied
                       ? kRevoked
                       : "what is remembered of your key cannot be read; ask an administrator of "
                         "this bastion"});
  }
  return judge_key({std::move(fingerprint), std::move(*binding)}, now);
}

LoginSteps LoginConversation::judge_key(ProvenKey key, const Now& now) {
  if (key.binding && is_valid(*key.binding, now)) {
    return admit(*key.binding, true, now);
  }
  const bool again = std::any_of(proven_.begin(), proven_.end(), [&](const auto& known) {
    return known.fingerprint == key.fingerprint;
  });
  if (again) {
    return {Verdict{Login::try_another, ""}};
  }
  if (!key.binding && context_.config->login.enrolment == LoginConfig::Enrolment::closed) {
    unregistered_ = key.fingerprint;
    return {Verdict{Login::try_another, *why_no_sign_in()}};
  }
  proven_.push_back(std::move(key));
  return {Verdict{Login::more, ""}};
}

// The administrator may shorten the time afterwards; what another provider said, or claims that are
// read otherwise now, says nothing; and a login in the future is a clock that was wrong, whose
// "until" may be years away.
bool LoginConversation::is_valid(const RememberedKey& key, const Now& now) const {
  const auto remember = std::chrono::milliseconds(context_.config->login.remember).count();
  const uint64_t until = std::min(key.until_ms, key.since_ms + static_cast<uint64_t>(remember));
  return key.has_logged_in() && key.mapping == claim_mapping(context_.config->identity) &&
         key.since_ms <= now.unix_ms() + kClockSlackMs && now.unix_ms() < until;
}

Result<LoginSteps> LoginConversation::prompt_wanted(const AskPromptLogin& ask, const Now&) {
  auto refusal = meet(ask.user);
  if (!refusal) {
    return refusal.error();
  }
  if (*refusal) {
    return finish(std::move(**refusal));
  }
  if (const auto why = why_no_sign_in()) {
    return finish({Login::disconnected, *why});
  }
  return begin_sign_in();
}

std::optional<std::string> LoginConversation::why_no_sign_in() const {
  if (key_to_use() != nullptr || context_.config->login.without_key) {
    return std::nullopt;
  }
  if (unregistered_.empty()) {
    return kKeyWanted;
  }
  return "key " + unregistered_ +
         " is not registered; ask an administrator of this bastion to register it";
}

const LoginConversation::ProvenKey* LoginConversation::key_to_use() const {
  const auto bound = std::find_if(proven_.begin(), proven_.end(),
                                  [](const auto& key) { return key.binding.has_value(); });
  if (bound != proven_.end()) {
    return &*bound;
  }
  return proven_.empty() ? nullptr : &proven_.front();
}

LoginSteps LoginConversation::begin_sign_in() {
  std::vector<std::string> names;
  if (const ProvenKey* key = key_to_use()) {
    fingerprint_ = key->fingerprint;
    names.push_back("key " + key->fingerprint);
    if (key->binding && key->binding->has_logged_in()) {
      names.push_back("person " + key->binding->subject + " of " + key->binding->issuer);
    }
  }
  names.push_back(context_.pending.free_place("address " + address_, kMaxPendingOfAddress));
  if (names.back().empty()) {
    return finish({Login::disconnected, std::to_string(kMaxPendingOfAddress) +
                                            " sign-ins from your address are waiting already; try "
                                            "again when one of them has ended"});
  }
  claim_ = context_.pending.claim(std::move(names));
  if (!claim_) {
    return finish({Login::disconnected,
                   "a sign-in with this key, or of its owner, is waiting already: finish it, or "
                   "end it and try again"});
  }
  stage_ = Stage::starting;
  automatic_ = context_.config->login.prompt == LoginConfig::Prompt::automatic;
  return {StartSignIn{}};
}

// Where nothing is asked at the moment, the next question gets the answer.
LoginSteps LoginConversation::key_revoked(const std::string& fingerprint) {
  const bool is_ours = std::any_of(proven_.begin(), proven_.end(),
                                   [&](const auto& key) { return key.fingerprint == fingerprint; });
  if (!is_ours || stage_ == Stage::finished) {
    return {};
  }
  if (stage_ == Stage::open) {
    was_revoked_ = true;
    return {};
  }
  return finish({Login::disconnected, kRevoked});
}

LoginSteps LoginConversation::admit(const RememberedKey& who, bool groups_known, const Now& now) {
  Admission admission;
  admission.fingerprint = who.fingerprint;
  admission.person = who.person;
  admission.issuer = who.issuer;
  admission.subject = who.subject;
  admission.groups = who.groups;
  admission.mapping = who.mapping;
  LoginSteps steps = admit(std::move(admission), now);
  auto* admitted = std::get_if<Admission>(&steps.front());
  if (admitted != nullptr && !groups_known && !admitted->refusal.empty()) {
    admitted->refusal += "; the identity provider sent no groups";
  }
  return steps;
}

// Whoever is known but reaches no target by this name may still go on to one with ssh -J.
LoginSteps LoginConversation::admit(Admission admission, const Now& now) {
  person_ = admission.person;
  fingerprint_ = admission.fingerprint;
  auto right = decide(*context_.config, admission.groups, wish_);
  if (!right && !outer_.is_zero()) {
    return finish({Login::refused, right.error().message});
  }
  stage_ = Stage::finished;
  claim_ = {};
  admission.session = session_;
  admission.address = address_;
  if (!right) {
    admission.refusal = right.error().message;
    log_refusal(admission.refusal);
  }
  admission.right = right ? std::move(*right) : Right{};
  if (outer_.is_zero()) {  // else it goes on from when the outer one was let in
    admission.since_ms = now.unix_ms();
  }
  return {std::move(admission)};
}

Result<LoginSteps> LoginConversation::jump_wanted(const AskJumpLogin& ask, const Admission* outer,
                                                  const Now& now) {
  if (stage_ != Stage::open || outer_.is_zero()) {
    return Error{Errc::protocol, "a jump was asked for out of turn"};
  }
  user_ = ask.user;
  if (outer == nullptr) {
    return finish({Login::disconnected, "the session around this one has ended"});
  }
  if (!is_valid_name(ask.user)) {
    return finish({Login::refused, "\"" + printable(ask.user, 80) + "\" is no login name"});
  }
  wish_ = TypedName{ask.user, jump_target_};
  Admission admission = *outer;
  return admit(std::move(admission), now);
}

void LoginConversation::log_refusal(const std::string& why) const {
  log_warning("login_refused", {{"session", session_.hex()},
                                {"user", user_.substr(0, 256)},
                                {"address", address_},
                                {"fingerprint", fingerprint_},
                                {"person", person_},
                                {"why", why}});
}

LoginSteps LoginConversation::finish(Refusal refusal) {
  stage_ = Stage::finished;
  claim_ = {};
  log_refusal(refusal.text);
  return {Verdict{refusal.login, std::move(refusal.text)}};
}

}  // namespace sallyport
