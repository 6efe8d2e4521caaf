// SPDX-License-Identifier: Apache-2.0
//
// `ssh -J`: the client speaks a second SSH inside a direct-tcpip channel, and another front answers
// it at the far end of a socket. This carries the bytes between both. They are that front's own
// ciphertext, so nothing of them is recorded here: the inner session records itself.
#pragma once

#include "shared/base/unique_fd.h"
#include "shared/ssh/handles.h"

#include <poll.h>

#include <cstdint>
#include <vector>

namespace sallyport::front {

class JumpPipe {
public:
  // socket: SOCK_STREAM, connected to the inner front.
  JumpPipe(ssh_channel channel, UniqueFd socket);
  ~JumpPipe();
  JumpPipe(const JumpPipe&) = delete;
  JumpPipe& operator=(const JumpPipe&) = delete;

  void pump();
  pollfd poll_entry() const;
  bool is_over() const { return over_; }

private:
  struct Held {
    std::vector<uint8_t> bytes;
    size_t offset = 0;
    bool empty() const { return offset == bytes.size(); }
  };
  static int on_data(ssh_session, ssh_channel, void* data, uint32_t size, int extended,
                     void* userdata) noexcept;
  static void on_eof(ssh_session, ssh_channel, void* userdata) noexcept;
  static void on_close(ssh_session, ssh_channel, void* userdata) noexcept;
  size_t write_to_socket(const uint8_t* data, size_t size);
  void pump_to_socket();
  void pump_to_client();
  bool write_to_client();
  bool client_takes_bytes() const;

  ssh_channel channel_;
  UniqueFd socket_;
  ssh_channel_callbacks_struct callbacks_{};
  Held to_socket_;
  Held to_client_;
  bool client_eof_ = false;
  bool client_closed_ = false;
  bool socket_shut_ = false;
  bool socket_eof_ = false;
  bool close_sent_ = false;
  bool over_ = false;
};

}  // namespace sallyport::front
