// SPDX-License-Identifier: Apache-2.0
//
// What the next process sends for an SSH channel, in its order: data, end of file, exit status or
// signal, close. An end is passed on only after the data before it; exit status before close. What
// libssh has taken is given back as credit, so at most kInitialCredit waits here.
#pragma once

#include "shared/ipc/peer.h"
#include "shared/ssh/handles.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace sallyport {

// How long a program may write what nobody reads any more, and take no input, before its channel is
// closed.
inline constexpr auto kUnreadTime = std::chrono::seconds(2);

class ChannelOutlet {
public:
  // `input`: the credit that is given back is for data towards the target.
  ChannelOutlet(ssh_channel channel, uint32_t number, bool input, Peer& peer)
      : channel_(channel), number_(number), input_(input), peer_(peer) {}

  void push_data(Stream stream, std::string_view bytes);
  void push_eof() { queue_.push_back({Kind::eof}); }
  void push_exit_status(uint32_t status);
  void push_exit_signal(const std::string& name, bool core, const std::string& text);
  void push_close() { queue_.push_back({Kind::close}); }

  // The other side has closed the channel: data is dropped, an exit status may still be sent.
  void discard_data() { discard_ = true; }

  // Writes while the client's window and our socket take it. False: the channel is broken.
  bool pump();
  bool closed() const { return closed_; }
  bool empty() const { return queue_.empty(); }
  size_t queued_bytes() const { return queued_bytes_; }

private:
  enum class Kind { data, error, eof, exit_status, exit_signal, close };
  struct Item {
    Kind kind;
    std::string bytes{};  // data; name of a signal
    size_t offset = 0;
    uint32_t status = 0;
    bool core = false;
    std::string text{};
  };
  enum class Step { done, blocked, broken };
  Step write_data(Item& item);
  size_t write_some(bool is_error, std::string_view bytes);
  Step step(Item& item);
  void give_credit(uint32_t bytes);

  ssh_channel channel_;
  uint32_t number_;
  bool input_;
  Peer& peer_;
  std::deque<Item> queue_;
  size_t queued_bytes_ = 0;
  uint32_t owed_credit_ = 0;
  bool discard_ = false;
  bool closed_ = false;
  bool broken_ = false;
};

// The socket of this session takes no more now; write later.
inline bool is_congested(ssh_session session) {
  return (ssh_get_status(session) & SSH_WRITE_PENDING) != 0;
}

}  // namespace sallyport
