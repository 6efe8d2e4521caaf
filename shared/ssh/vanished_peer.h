// SPDX-License-Identifier: Apache-2.0
//
// Notices within a minute that the other end of a TCP connection has vanished while it has not
// acknowledged all that was sent. TCP keepalive (set_tcp_keepalive()) does not look then, a
// retransmission is given up after a quarter of an hour, and TCP_USER_TIMEOUT also ends a
// connection whose peer acknowledges but takes nothing, such as a stopped client (^Z).
#pragma once

#include <chrono>

namespace sallyport {

class VanishedPeer {
public:
  explicit VanishedPeer(int fd) : fd_(fd) {}  // for a socket that is not TCP this does nothing

  // How long poll(2) may wait, where the caller would wait this long (-1: for ever).
  int bounded_ms(int timeout_ms) const;
  void look_if_due(bool something_happened);  // after each wait
  bool is_gone() const { return silent_looks_ >= kLooksBeforeGone; }

private:
  using Clock = std::chrono::steady_clock;
  // One look may fall between what was sent after a long silence and its answer.
  static constexpr int kLooksBeforeGone = 2;
  void look();

  int fd_;
  bool watches_ = false;  // not while nothing is on the way: an idle session sleeps
  Clock::time_point next_look_;
  int silent_looks_ = 0;
};

}  // namespace sallyport
