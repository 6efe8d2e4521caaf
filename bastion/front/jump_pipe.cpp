// SPDX-License-Identifier: Apache-2.0
#include "bastion/front/jump_pipe.h"

#include "shared/ssh/channel_outlet.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sallyport::front {

namespace {

constexpr size_t kPieceBytes = 32 * 1024;
constexpr int kPiecesPerTurn = 32;

}  // namespace

JumpPipe::JumpPipe(ssh_channel channel, UniqueFd socket)
    : channel_(channel), socket_(std::move(socket)) {
  ssh_callbacks_init(&callbacks_);
  callbacks_.userdata = this;
  callbacks_.channel_data_function = on_data;
  callbacks_.channel_eof_function = on_eof;
  callbacks_.channel_close_function = on_close;
  ssh_set_channel_callbacks(channel_, &callbacks_);
}

JumpPipe::~JumpPipe() {
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_close(channel_);
  ssh_channel_free(channel_);
}

int JumpPipe::on_data(ssh_session, ssh_channel, void* data, uint32_t size, int extended,
                      void* userdata) noexcept {
  auto& self = *static_cast<JumpPipe*>(userdata);
  if (extended != 0 || self.socket_shut_) {
    return static_cast<int>(size);
  }
  if (!self.to_socket_.empty()) {
    return 0;
  }
  return static_cast<int>(self.write_to_socket(static_cast<const uint8_t*>(data), size));
}

void JumpPipe::on_eof(ssh_session, ssh_channel, void* userdata) noexcept {
  static_cast<JumpPipe*>(userdata)->client_eof_ = true;
}

void JumpPipe::on_close(ssh_session, ssh_channel, void* userdata) noexcept {
  static_cast<JumpPipe*>(userdata)->client_closed_ = true;
}

// How much the socket took; all of it where nobody is there any more.
size_t JumpPipe::write_to_socket(const uint8_t* data, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    const ssize_t written = ::send(socket_.get(), data + sent, size - sent, MSG_NOSIGNAL);
    if (written > 0) {
      sent += static_cast<size_t>(written);
    } else if (errno == EAGAIN) {
      return sent;
    } else if (errno != EINTR) {
      socket_shut_ = true;
      return size;
    }
  }
  return sent;
}

// A remainder is taken out of libssh whole (see channel_intake.h).
void JumpPipe::pump_to_socket() {
  for (;;) {
    to_socket_.offset += write_to_socket(to_socket_.bytes.data() + to_socket_.offset,
                                         to_socket_.bytes.size() - to_socket_.offset);
    if (!to_socket_.empty()) {
      return;
    }
    to_socket_ = {};
    const int available = ssh_channel_poll(channel_, 0);
    if (available <= 0) {
      break;
    }
    to_socket_.bytes.resize(static_cast<size_t>(available));
    const int taken = ssh_channel_read_nonblocking(channel_, to_socket_.bytes.data(),
                                                   static_cast<uint32_t>(available), 0);
    to_socket_.bytes.resize(static_cast<size_t>(std::max(taken, 0)));
  }
  if (client_eof_ && !socket_shut_) {
    socket_shut_ = true;
    ::shutdown(socket_.get(), SHUT_WR);
  }
}

bool JumpPipe::client_takes_bytes() const {
  return ssh_channel_window_size(channel_) > 0 && !is_congested(ssh_channel_get_session(channel_));
}

// False: later.
bool JumpPipe::write_to_client() {
  while (!to_client_.empty()) {
    if (!client_takes_bytes()) {
      return false;
    }
    const size_t piece = std::min<size_t>(to_client_.bytes.size() - to_client_.offset,
                                          ssh_channel_window_size(channel_));
    const int written = ssh_channel_write(channel_, to_client_.bytes.data() + to_client_.offset,
                                          static_cast<uint32_t>(piece));
    if (written < 0) {
      client_closed_ = true;
    }
    if (written <= 0) {
      return false;
    }
    to_client_.offset += static_cast<size_t>(written);
  }
  return true;
}

void JumpPipe::pump_to_client() {
  for (int i = 0; i < kPiecesPerTurn && !client_closed_; ++i) {
    if (!write_to_client() || socket_eof_ || !client_takes_bytes()) {
      return;
    }
    to_client_.bytes.resize(kPieceBytes);
    to_client_.offset = 0;
    const ssize_t taken = ::read(socket_.get(), to_client_.bytes.data(), kPieceBytes);
    to_client_.bytes.resize(static_cast<size_t>(std::max<ssize_t>(taken, 0)));
    if (taken < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (taken <= 0) {
      socket_eof_ = true;
    }
  }
}

void JumpPipe::pump() {
  if (over_) {
    return;
  }
  pump_to_socket();
  pump_to_client();
  if (socket_eof_ && to_client_.empty() && !close_sent_) {
    socket_shut_ = true;
    close_sent_ = ssh_channel_close(channel_) == SSH_OK;
  }
  over_ = client_closed_;  // before that libssh would take its data without a bound
}

pollfd JumpPipe::poll_entry() const {
  const bool wants_read = to_client_.empty() && !socket_eof_ && client_takes_bytes();
  const bool wants_write = !to_socket_.empty();
  const int events = (wants_read ? POLLIN : 0) | (wants_write ? POLLOUT : 0);
  // A descriptor without events would still report a hang-up, again and again.
  return {events == 0 ? -1 : socket_.get(), static_cast<short>(events), 0};
}

}  // namespace sallyport::front
