// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/ssh_keepalive.h"

#include <algorithm>
#include <limits>

namespace sallyport {

int SshKeepalive::bounded_ms(int timeout_ms) const {
  if (silence_.count() == 0) {
    return timeout_ms;
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(silent_since_ + silence_ - Clock::now());
  const int bound =
      static_cast<int>(std::clamp<int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
  return timeout_ms < 0 ? bound : std::min(timeout_ms, bound);
}

bool SshKeepalive::send_if_due(ssh_session session, bool heard) {
  if (silence_.count() == 0) {
    return false;
  }
  const auto now = Clock::now();
  const bool is_due = !heard && now - silent_since_ >= silence_;
  if (heard || is_due) {
    silent_since_ = now;
  }
  // Where something waits to be sent there is no silence.
  if (!is_due || (ssh_get_poll_flags(session) & SSH_WRITE_PENDING) != 0) {
    return false;
  }
  ssh_send_ignore(session, "");
  return true;
}

}  // namespace sallyport
