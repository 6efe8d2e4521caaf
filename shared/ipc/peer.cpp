// SPDX-License-Identifier: Apache-2.0
#include "shared/ipc/peer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sallyport {

namespace {

constexpr int kSocketBufferBytes = 512 * 1024;
constexpr size_t kMaxFds = 16;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Error{Errc::invalid, path +
                                    ": a socket's path has at most 107 bytes; choose a shorter "
                                    "runtime_directory"};
  }
  path.copy(address.sun_path, path.size());
  return address;
}

// The control buffer must be aligned as cmsghdr.
union ControlBuffer {
  cmsghdr header;
  char bytes[CMSG_SPACE(kMaxFds * sizeof(int))];
};

std::vector<UniqueFd> take_fds(msghdr& message) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

uint32_t read_u32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 |
         static_cast<uint32_t>(p[2]) << 16 | static_cast<uint32_t>(p[3]) << 24;
}

}  // namespace

Peer::Peer(UniqueFd socket) : socket_(std::move(socket)) {
  const int fd = socket_.get();
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
}

Result<Peer::Sent> Peer::try_send(std::span<const uint8_t> bytes, std::span<const int> fds) {
  iovec piece{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  ControlBuffer control{};
  if (!fds.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
  }
  return try_send(message);
}

Result<Peer::Sent> Peer::try_send(msghdr& message) {
  for (;;) {
    if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) >= 0) {
      return Sent::yes;
    }
    if (errno == EAGAIN || errno == ENOBUFS) {
      return Sent::full;
    }
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
      return Sent::gone;
    }
    if (errno != EINTR) {
      return errno_error("sending to another process of ours");
    }
  }
}

Status Peer::send_encoded(std::vector<uint8_t> bytes, std::vector<int> fds) {
  if (bytes.size() > kMaxMessageBytes || fds.size() > kMaxFds) {
    return Error{Errc::limit,
                 "a message of " + std::to_string(bytes.size()) + " bytes is too long"};
  }
  if (queue_.empty()) {
    const auto sent = try_send(bytes, fds);
    if (!sent) {
      return sent.error();
    }
    if (*sent != Sent::full) {
      return ok();
    }
  }
  Outgoing outgoing{std::move(bytes), {}};
  for (const int fd : fds) {
    outgoing.fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  }
  queued_bytes_ += outgoing.bytes.size();
  queue_.push_back(std::move(outgoing));
  return ok();
}

// The fields of ChannelData before its bytes; the codec's test compares both spellings.
Status Peer::send(const ChannelData& data) {
  constexpr size_t kHeadBytes = kMessageHeaderBytes + 4 + 1 + 4;
  if (!queue_.empty() || data.bytes.size() > kMaxDataBytes) {
    return send_encoded(encode(data));
  }
  std::array<uint8_t, kHeadBytes> head{};
  const auto put = [&head](size_t at, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
      head[at + i] = static_cast<uint8_t>(value >> (8 * i));
    }
  };
  put(0, static_cast<uint16_t>(ChannelData::kType), 2);
  put(2, kMessageVersion, 2);
  put(4, kHeadBytes - kMessageHeaderBytes + data.bytes.size(), 4);
  put(8, data.channel, 4);
  put(12, static_cast<uint8_t>(data.stream), 1);
  put(13, data.bytes.size(), 4);
  iovec pieces[2] = {{head.data(), head.size()},
                     {const_cast<char*>(data.bytes.data()), data.bytes.size()}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = 2;
  const auto sent = try_send(message);
  if (!sent) {
    return sent.error();
  }
  return *sent == Sent::full ? send_encoded(encode(data)) : ok();
}

Status Peer::flush() {
  while (!queue_.empty()) {
    const Outgoing& next = queue_.front();
    std::vector<int> fds;
    for (const UniqueFd& fd : next.fds) {
      fds.push_back(fd.get());
    }
    const auto sent = try_send(next.bytes, fds);
    if (!sent) {
      return sent.error();
    }
    if (*sent == Sent::full) {
      return ok();
    }
    if (*sent == Sent::gone) {
      queue_.clear();
      queued_bytes_ = 0;
      return ok();
    }
    queued_bytes_ -= next.bytes.size();
    queue_.pop_front();
  }
  return ok();
}

Result<std::optional<Received>> Peer::receive() {
  return receive_at(0);
}

Result<std::optional<Received>> Peer::receive_more() {
  if (kReceiveBufferBytes - received_bytes_ < kMaxMessageBytes) {
    return std::optional<Received>{};
  }
  return receive_at(received_bytes_);
}

Result<std::optional<Received>> Peer::receive_at(size_t offset) {
  if (!socket_) {
    return Error{Errc::io, "closed"};
  }
  if (!buffer_) {
    // Not zeroed: only the pages that messages touch become resident.
    buffer_ = std::make_unique_for_overwrite<uint8_t[]>(kReceiveBufferBytes);
  }
  uint8_t* const start = buffer_.get() + offset;
  received_bytes_ = offset;
  iovec piece{start, kMaxMessageBytes};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t size = -1;
  // ECONNRESET, once: the peer has closed without reading all. What it said is still to come.
  do {
    size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
  if (size < 0 && errno == EAGAIN) {
    return std::optional<Received>{};
  }
  if (size <= 0) {
    return Error{Errc::io, "closed"};
  }
  Received received;
  received.fds = take_fds(message);
  const auto length = static_cast<size_t>(size);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || length < kMessageHeaderBytes ||
      start[2] != kMessageVersion || start[3] != 0 ||
      read_u32(start + 4) != length - kMessageHeaderBytes) {
    return Error{Errc::protocol, "a message with a broken header"};
  }
  received_bytes_ = offset + length;
  received.type = static_cast<MessageType>(start[0] | start[1] << 8);
  received.body = std::span(start + kMessageHeaderBytes, length - kMessageHeaderBytes);
  return std::optional<Received>(std::move(received));
}

Result<PeerPair> make_peer_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return errno_error("socketpair");
  }
  return PeerPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<UniqueFd> listen_peer(const std::string& path) {
  const auto address = address_of(path);
  if (!address) {
    return address.error();
  }
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::unlink(path.c_str());
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      ::chmod(path.c_str(), 0666) != 0 || ::listen(fd.get(), 512) != 0) {
    return errno_error("listening on " + path);
  }
  return fd;
}

Result<UniqueFd> connect_peer(const std::string& path) {
  const auto address = address_of(path);
  if (!address) {
    return address.error();
  }
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return errno_error("connecting to " + path);
  }
  return fd;
}

Result<uid_t> peer_uid(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return errno_error("SO_PEERCRED");
  }
  return credentials.uid;
}

Result<Received> receive_waiting(Peer& peer, int timeout_ms) {
  for (;;) {
    auto received = peer.receive();
    if (!received) {
      return received.error();
    }
    if (*received) {
      return std::move(**received);
    }
    pollfd p{peer.fd(), POLLIN, 0};
    const int ready = ::poll(&p, 1, timeout_ms);
    if (ready == 0) {
      return Error{Errc::io, "no answer within " + std::to_string(timeout_ms / 1000) + " s"};
    }
    if (ready < 0 && errno != EINTR) {
      return errno_error("poll");
    }
  }
}

}  // namespace sallyport
