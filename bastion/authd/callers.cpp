// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/callers.h"

#include "shared/ipc/sandbox.h"

#include <pwd.h>
#include <unistd.h>

namespace sallyport {

namespace {
std::optional<uid_t> uid_of(const char* user) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwnam_r(user, &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return entry.pw_uid;
}
}  // namespace

Callers Callers::of_this_process() {
  Callers callers;
  callers.own_ = ::geteuid();
  if (uid_of(kAuthdUser) == callers.own_) {
    callers.session_ = uid_of(kSessionUser);
    callers.keyd_ = uid_of(kKeydUser);
    callers.stored_ = uid_of(kStoredUser);
  } else {
    callers.session_ = callers.keyd_ = callers.stored_ = callers.own_;
  }
  return callers;
}

bool Callers::knows(uid_t uid) const {
  return uid == 0 || uid == own_ || uid == session_ || uid == keyd_ || uid == stored_;
}

bool Callers::may_ask(uid_t uid, MessageType type) const {
  switch (type) {
    case MessageType::login_origin:
    case MessageType::ask_key_login:
    case MessageType::ask_jump_login:
    case MessageType::ask_jump_target:
    case MessageType::ask_prompt_login:
    case MessageType::prompt_answer:
      return uid == session_;
    case MessageType::confirm_grant:
      return uid == session_ || uid == keyd_ || uid == stored_;
    default:
      return uid == 0 || uid == own_;
  }
}

bool Callers::may_confirm(uid_t uid, Purpose purpose) const {
  switch (purpose) {
    case Purpose::dial:
    case Purpose::jump:
      return uid == session_;
    case Purpose::sign:
      return uid == keyd_;
    case Purpose::record:
      return uid == stored_;
  }
  return false;
}

}  // namespace sallyport
