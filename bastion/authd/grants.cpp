// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/grants.h"

#include "bastion/authd/oidc/claim_mapping.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport {

Result<Id> Grants::add(Admission admission, uint64_t connection) {
  const bool known = std::any_of(live_.begin(), live_.end(), [&](const auto& entry) {
    return entry.second.who.session == admission.session;
  });
  if (known) {
    return Error{Errc::denied, "session " + admission.session.hex() + " has a grant already"};
  }
  const Id id = Id::random();
  live_.emplace(id, Live{std::move(admission), connection});
  return id;
}

namespace {

// A login lasts as long as a key is remembered; where none is, as long as one is by default.
constexpr std::chrono::hours kLoginWhereNoneIsRemembered{8};
constexpr uint64_t kClockSlackMs = 60'000;

// With a connection that stays (ControlMaster), nobody would otherwise be asked again for weeks.
bool is_login_over(const Admission& who, const Config& config, uint64_t unix_ms) {
  const auto remember = config.login.remember;
  const std::chrono::milliseconds lasts =
      remember.count() > 0 ? remember : kLoginWhereNoneIsRemembered;
  return unix_ms >= who.since_ms + static_cast<uint64_t>(lasts.count()) ||
         unix_ms + kClockSlackMs < who.since_ms;  // the clock was wrong then
}

}  // namespace

GrantFacts Grants::confirm(const ConfirmGrant& question, const Config& config, uint64_t unix_ms) {
  GrantFacts facts;
  facts.purpose = question.purpose;
  facts.grant = question.grant;
  facts.session = question.session;
  const auto found = live_.find(question.grant);
  if (found == live_.end() || found->second.who.session != question.session) {
    facts.text = "there is no such grant for this session";
    return facts;
  }
  Live& live = found->second;
  const bool comes_again = question.purpose == Purpose::record || question.purpose == Purpose::jump;
  if (comes_again && is_login_over(live.who, config, unix_ms)) {
    facts.text = "this login is over; connect again";
    return facts;
  }
  bool used = false;
  if (question.purpose == Purpose::dial) {
    used = std::exchange(live.dialled, true);
  } else if (question.purpose == Purpose::sign) {
    used = std::exchange(live.has_signed, true);
  }
  if (question.purpose == Purpose::jump) {
    facts.valid = live.who.right.target.empty();
    facts.text = facts.valid ? "" : "this session has a target of its own";
    return facts;
  }
  const auto target = config.targets.find(live.who.right.target);
  if (used || target == config.targets.end()) {
    facts.text = used ? "this grant has been used for that already" : "the target is gone";
    return facts;
  }
  if (question.purpose == Purpose::dial && target->second.host_keys.empty()) {
    facts.text = target->first +
                 " has no pinned host key; an administrator pins it with: sallyportctl target add "
                 "--scan";
    return facts;
  }
  facts.valid = true;
  facts.person = live.who.person;
  facts.issuer = live.who.issuer;
  facts.subject = live.who.subject;
  facts.address = live.who.address;
  facts.fingerprint = live.who.fingerprint;
  facts.target = live.who.right.target;
  facts.target_address = target->second.address;
  facts.login = live.who.right.login;
  facts.roles = live.who.right.roles;
  facts.key_name = target->second.key;
  facts.host_keys = target->second.host_keys;
  return facts;
}

void Grants::renew(const Renewal& renewal) {
  for (auto& [id, live] : live_) {
    if (live.who.issuer == renewal.issuer && live.who.subject == renewal.subject) {
      live.who.groups = renewal.groups;
      live.who.mapping = renewal.mapping;
    }
  }
}

std::vector<uint64_t> Grants::end(const std::function<bool(const Admission&)>& is_over) {
  std::vector<uint64_t> connections;
  std::erase_if(live_, [&](const auto& entry) {
    const bool over = is_over(entry.second.who);
    if (over) {
      connections.push_back(entry.second.connection);
    }
    return over;
  });
  return connections;
}

const Admission* Grants::find_session(const Id& session) const {
  const auto found = std::find_if(live_.begin(), live_.end(), [&](const auto& entry) {
    return entry.second.who.session == session;
  });
  return found == live_.end() ? nullptr : &found->second.who;
}

bool still_stands(const Admission& who, const Config& config) {
  if (who.right.target.empty()) {
    return who.mapping == claim_mapping(config.identity);
  }
  const auto right = decide(config, who.groups, TypedName{who.right.login, who.right.target});
  return who.mapping == claim_mapping(config.identity) && right && is_within(who.right, *right);
}

Grant grant_message(const Id& id, const Admission& admission, const Config& config) {
  Grant grant;
  grant.grant = id;
  grant.person = admission.person;
  grant.issuer = admission.issuer;
  grant.subject = admission.subject;
  grant.fingerprint = admission.fingerprint;
  grant.target = admission.right.target;
  grant.login = admission.right.login;
  grant.refusal = admission.refusal;
  grant.allowed = admission.right.allowed;
  grant.forward_to = admission.right.forward_to;
  grant.listen_on = admission.right.listen_on;
  grant.stream_bytes = admission.right.stream_bytes;
  grant.forward_bytes = admission.right.forward_bytes;
  grant.environment = config.environment;
  grant.recipients = config.recipients;
  grant.second_recipients = config.second_recipients;
  if (admission.right.record_keystrokes) {
    grant.key_recipients = config.key_recipients;
    grant.second_key_recipients = config.second_key_recipients;
  }
  grant.idle_input_s = static_cast<uint32_t>(config.idle_input.count());
  grant.idle_output_s = static_cast<uint32_t>(config.idle_output.count());
  grant.session_s = static_cast<uint32_t>(config.session_length.count());
  return grant;
}

}  // namespace sallyport
