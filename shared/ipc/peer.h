// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/codec.h"
#include "shared/ipc/messages.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// One message as it came. `body` is valid until the next receive() of the same peer; what
// receive_more() gives stays beside it.
struct Received {
  MessageType type{};
  std::span<const uint8_t> body;
  std::vector<UniqueFd> fds;
};

template <class Message>
Result<Message> decode_as(const Received& received) {
  if (received.type != Message::kType) {
    return Error{Errc::protocol, "another message than was due"};
  }
  return decode<Message>(received.body);
}

inline constexpr size_t kReceiveBufferBytes = 2 * kMaxMessageBytes;

// One end of a SOCK_SEQPACKET UNIX socket: a datagram is a message, so nothing is ever half read.
// Non-blocking. send() queues what the socket does not take; whoever sends in bulk looks at
// queued_bytes() and stops (credits bound the rest). What is sent to a peer that is gone is dropped
// without an error: receive() tells that it is gone, after the last that it said. Not thread-safe.
class Peer {
public:
  Peer() = default;
  explicit Peer(UniqueFd socket);  // sets O_NONBLOCK and the socket buffers

  int fd() const { return socket_.get(); }
  explicit operator bool() const { return static_cast<bool>(socket_); }
  void close() { socket_.reset(); }
  UniqueFd release() { return std::move(socket_); }

  // Errors: the message exceeds kMaxMessageBytes, or the kernel has no room for it at all.
  // Descriptors are duplicated by the kernel; the caller keeps its own.
  template <class Message>
  Status send(const Message& message, std::vector<int> fds = {}) {
    return send_encoded(encode(message), std::move(fds));
  }
  // Without a copy of the bytes on the way.
  Status send(const ChannelData& data);
  // A datagram that encode() made.
  Status send_encoded(std::vector<uint8_t> bytes, std::vector<int> fds = {});
  Status flush();
  bool wants_write() const { return !queue_.empty(); }
  size_t queued_bytes() const { return queued_bytes_; }

  // nullopt: nothing there now. Error: closed (Errc::io, "closed") or a broken header
  // (Errc::protocol).
  Result<std::optional<Received>> receive();
  // The same, without invalidating what came since the last receive(). nullopt also when there is
  // no room for more: use what is there first.
  Result<std::optional<Received>> receive_more();

private:
  struct Outgoing {
    std::vector<uint8_t> bytes;
    std::vector<UniqueFd> fds;
  };
  enum class Sent { yes, full, gone };
  Result<Sent> try_send(std::span<const uint8_t> bytes, std::span<const int> fds);
  Result<Sent> try_send(msghdr& message);
  Result<std::optional<Received>> receive_at(size_t offset);

  UniqueFd socket_;
  std::deque<Outgoing> queue_;  // empty when the peer is gone
  size_t queued_bytes_ = 0;
  std::unique_ptr<uint8_t[]> buffer_;  // kReceiveBufferBytes
  size_t received_bytes_ = 0;          // of it, since the last receive()
};

struct PeerPair {
  UniqueFd first;
  UniqueFd second;
};
Result<PeerPair> make_peer_pair();  // both ends CLOEXEC

// path is at most 107 bytes. The file is made anew, mode 0666: who may ask is decided by
// SO_PEERCRED, and the folder's mode is the first gate.
Result<UniqueFd> listen_peer(const std::string& path);
Result<UniqueFd> connect_peer(const std::string& path);  // never waits: a full queue is an error
Result<uid_t> peer_uid(int fd);                          // of whoever connected (SO_PEERCRED)

// For tools: waits up to timeout_ms for one message; not for daemons.
Result<Received> receive_waiting(Peer& peer, int timeout_ms);

// Each message that is there now, until `take` has an error for one.
template <class Take>
Status receive_all(Peer& peer, Take take) {
  for (;;) {
    auto received = peer.receive();
    if (!received) {
      return received.error();
    }
    if (!*received) {
      return ok();
    }
    if (Status taken = take(**received); !taken) {
      return taken;
    }
  }
}

}  // namespace sallyport
