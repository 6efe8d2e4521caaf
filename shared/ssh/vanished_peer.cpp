// SPDX-License-Identifier: Apache-2.0
#include "shared/ssh/vanished_peer.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace sallyport {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{5000};
// As late as a minute allows: TCP sends again at growing intervals, after 25 s at 51 s, and a line
// that is whole again is not noticed before.
constexpr std::chrono::milliseconds kSilence{50'000};

}  // namespace

int VanishedPeer::bounded_ms(int timeout_ms) const {
  const int bound = static_cast<int>(kBetweenLooks.count());
  return !watches_ ? timeout_ms : timeout_ms < 0 ? bound : std::min(timeout_ms, bound);
}

void VanishedPeer::look_if_due(bool something_happened) {
  if (!watches_ && !something_happened) {
    return;
  }
  const auto now = Clock::now();
  if (!watches_) {
    watches_ = true;
    next_look_ = now + kBetweenLooks;
  } else if (now >= next_look_) {
    next_look_ = now + kBetweenLooks;
    look();
  }
}

void VanishedPeer::look() {
  tcp_info info{};
  socklen_t size = sizeof info;
  watches_ = ::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
             (info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0);
  // Sent after the last word from there; and behind a closed window, where probes may be minutes
  // apart, more than one of them lost.
  const bool unanswered =
      (info.tcpi_unacked > 0 && info.tcpi_last_data_sent < info.tcpi_last_ack_recv) ||
      info.tcpi_probes >= 2;
  const bool silent =
      watches_ && unanswered && std::chrono::milliseconds(info.tcpi_last_ack_recv) >= kSilence;
  silent_looks_ = silent ? silent_looks_ + 1 : 0;
}

}  // namespace sallyport
