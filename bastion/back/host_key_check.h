// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/ssh/handles.h"

#include <libssh/callbacks.h>

#include <functional>
#include <string>
#include <vector>

namespace sallyport::back {

// The target's host key against the pins of the grant, after every key exchange (R10). libssh says
// that an exchange is over (its status 1.0) when the new keys are in use and before it looks at the
// packet that comes next, so nothing that another key's owner sent is ever read.
//
// Must stay where it is while the session lives: libssh holds its address.
class HostKeyCheck {
public:
  using OnWrongKey = std::function<void(const Error&)>;

  HostKeyCheck(ssh_session session, std::string target, std::vector<std::string> pinned);
  HostKeyCheck(const HostKeyCheck&) = delete;
  HostKeyCheck& operator=(const HostKeyCheck&) = delete;

  std::string algorithms() const;  // for SSH_OPTIONS_HOSTKEYS: those of the pinned types

  // Of all exchanges so far; an error also when there was none.
  Status verdict() const { return verdict_; }
  // From now on a wrong key is also told at once, from inside of libssh: `tell` may not call it.
  void when_wrong(OnWrongKey tell) { tell_ = std::move(tell); }

private:
  static void on_status(void* self, float status) noexcept;
  void exchanged();
  Status compare() const;

  ssh_session session_;
  std::string target_;
  std::vector<std::string> pinned_;
  ssh_callbacks_struct callbacks_{};
  bool seen_ = false;
  Status verdict_;
  OnWrongKey tell_;
};

}  // namespace sallyport::back
