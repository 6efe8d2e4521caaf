// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/keepalive.h"

#include <algorithm>
#include <limits>

namespace sallyport {

int Keepalive::bounded_ms(int timeout_ms) const {
  if (silence_.count() == 0) {
    return timeout_ms;
  }
  const int bound =
      static_cast<int>(std::min<int64_t>(silence_.count(), std::numeric_limits<int>::max()));
  return timeout_ms < 0 ? bound : std::min(timeout_ms, bound);
}

bool Keepalive::send_if_due(ssh_session session, int waited_ms) const {
  const bool writes = (ssh_get_poll_flags(session) & SSH_WRITE_PENDING) != 0;
  if (silence_.count() == 0 || waited_ms != bounded_ms(-1) || writes) {
    return false;
  }
  ssh_send_ignore(session, "");
  return true;
}

}  // namespace sallyport
