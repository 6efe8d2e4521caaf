// SPDX-License-Identifier: Apache-2.0
//
// What `sallyportctl keys`, `sessions` and `reload` ask.
#include "bastion/authd/connection.h"
#include "bastion/authd/fingerprint.h"
#include "bastion/authd/server.h"
#include "shared/base/log.h"
#include "shared/base/printable.h"

namespace sallyport {

namespace {
constexpr size_t kMaxPersonBytes = 256;
}

Status Connection::answer_keys_list(const KeysList&) {
  state_ = State::administration;
  const auto list = server_.keys_.list();
  if (!list) {
    return send(Answer{false, list.error().message});
  }
  for (const RememberedKey& key : list->keys) {
    KeyEntry entry;
    entry.fingerprint = key.fingerprint;
    entry.person = key.has_logged_in() ? key.person : key.registered_for;
    entry.issuer = key.issuer;
    entry.subject = key.subject;
    entry.address = key.address;
    entry.since_ms = key.since_ms;
    entry.until_ms = key.until_ms;
    if (const Status sent = send(entry); !sent) {
      return sent;
    }
  }
  return send(Answer{true, list->unreadable == 0
                               ? ""
                               : std::to_string(list->unreadable) +
                                     " more cannot be read: revoke such a key by its whole "
                                     "fingerprint, and its owner signs in anew"});
}

// What runs ends first, whatever becomes of the row; also where no row is left, since sessions of a
// key that was revoked before must not go on.
Status Connection::answer_key_revoke(const KeyRevoke& ask) {
  state_ = State::administration;
  if (ask.fingerprint.empty()) {
    return send(Answer{false, "give the key's fingerprint"});
  }
  const size_t ended =
      server_.end_sessions([&](const Admission& who) { return who.fingerprint == ask.fingerprint; },
                           "the key of this session was revoked by an administrator");
  const size_t waiting = server_.end_sign_ins(ask.fingerprint);
  const auto removed = server_.keys_.remove(ask.fingerprint);
  log_info("key_revoked", {{"fingerprint", ask.fingerprint},
                           {"uid", std::to_string(uid_)},
                           {"sessions_ended", std::to_string(ended)},
                           {"sign_ins_ended", std::to_string(waiting)},
                           {"row", !removed   ? removed.error().message
                                   : *removed ? "deleted"
                                              : "none"}});
  const std::string what =
      "; " + std::to_string(ended) + " session(s) ended" +
      (waiting > 0 ? ", " + std::to_string(waiting) + " waiting sign-in(s) too" : "");
  const std::string key = printable(ask.fingerprint);
  if (!removed) {
    return send(Answer{false, key + " is revoked only until authd restarts" + what +
                                  ", but it cannot be deleted (" + removed.error().message +
                                  "); make room on the disk and revoke it again"});
  }
  return send(*removed ? Answer{true, "revoked " + key + what}
                       : Answer{false, "no key " + key + " is remembered" +
                                           (ended + waiting > 0 ? what : "")});
}

Status Connection::answer_key_register(const KeyRegister& ask) {
  state_ = State::administration;
  const auto fingerprint = fingerprint_of_line(ask.public_key);
  if (!fingerprint) {
    return send(Answer{false, fingerprint.error().message});
  }
  if (ask.person.empty() || ask.person.size() > kMaxPersonBytes ||
      printable(ask.person) != ask.person) {
    return send(Answer{false, "name the person as the identity provider does, or \"subject:...\""});
  }
  const auto known = server_.keys_.find(*fingerprint);
  if (!known) {
    return send(Answer{false, known.error().message});
  }
  if (*known && (*known)->has_logged_in()) {
    return send(Answer{
        false, *fingerprint + " belongs to " + (*known)->person + " already; revoke it first"});
  }
  RememberedKey key;
  key.fingerprint = *fingerprint;
  key.registered_for = ask.person;
  if (const Status stored = server_.keys_.put(key); !stored) {
    return send(Answer{false, stored.error().message});
  }
  log_info("key_registered",
           {{"fingerprint", *fingerprint}, {"person", ask.person}, {"uid", std::to_string(uid_)}});
  return send(Answer{true, "registered " + *fingerprint + " for " + ask.person});
}

Status Connection::answer_sessions_list(const SessionsList&) {
  state_ = State::administration;
  for (const auto& [id, live] : server_.grants_.all()) {
    const Admission& who = live.who;
    const Status sent =
        send(SessionEntry{who.session, who.person, who.right.target, who.right.login, who.address,
                          who.fingerprint, who.since_ms});
    if (!sent) {
      return sent;
    }
  }
  return send(Answer{true, std::to_string(server_.grants_.all().size()) + " session(s)"});
}

Status Connection::answer_session_kill(const SessionKill& ask) {
  state_ = State::administration;
  const size_t ended =
      server_.end_sessions([&](const Admission& who) { return who.session == ask.session; },
                           "this session was ended by an administrator");
  log_info("session_kill", {{"session", ask.session.hex()},
                            {"uid", std::to_string(uid_)},
                            {"ended", std::to_string(ended)}});
  return send(ended > 0 ? Answer{true, "session " + ask.session.hex() + " ended"}
                        : Answer{false, "there is no session " + ask.session.hex()});
}

Status Connection::answer_reload(const Reload&) {
  state_ = State::administration;
  return send(server_.reload());
}

}  // namespace sallyport
