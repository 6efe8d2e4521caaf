// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/ipc/messages.h"

#include <sys/types.h>

#include <optional>

namespace sallyport {

// Who may ask what, by the uid that SO_PEERCRED names. Where the daemons have users of their own,
// each has its part; where everything runs as one user, that user has all of it. Root may
// administrate, and nothing else.
class Callers {
public:
  static Callers of_this_process();  // after drop_to_user()

  // Anybody may connect, since the socket's folder is open to all of our users; strangers are
  // hung up on before they can fill the table.
  bool knows(uid_t uid) const;
  bool may_ask(uid_t uid, MessageType type) const;
  bool may_confirm(uid_t uid, Purpose purpose) const;

private:
  std::optional<uid_t> own_;
  std::optional<uid_t> session_;
  std::optional<uid_t> keyd_;
  std::optional<uid_t> stored_;
};

}  // namespace sallyport
