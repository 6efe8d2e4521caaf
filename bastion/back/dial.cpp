// SPDX-License-Identifier: Apache-2.0
#include "bastion/back/dial.h"

#include "shared/base/denied_address.h"
#include "shared/base/handle.h"
#include "shared/base/socket_address.h"
#include "shared/base/tcp_keepalive.h"
#include "shared/config/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <cstring>

namespace sallyport::back {

namespace {

constexpr int kConnectMs = 10'000;

bool listens_everywhere(const std::string& listener) {
  return listener.starts_with("0.0.0.0:") || listener.starts_with("[::]:");
}

bool same_port(const std::string& one, const std::string& other) {
  return one.substr(one.rfind(':')) == other.substr(other.rfind(':'));
}

// IPv4 that is spelt as IPv6 is spelt as IPv4 again.
std::string socket_address(int fd, int (*get)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  const std::string shown = get(fd, address, &size) == 0 ? numeric_address(address) : ":";
  constexpr std::string_view kMapped = "[::ffff:";
  const size_t end = shown.rfind("]:");
  if (!shown.starts_with(kMapped) || shown.find('.') == std::string::npos) {
    return shown;
  }
  return shown.substr(kMapped.size(), end - kMapped.size()) + shown.substr(end + 1);
}

std::string host_of(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

using AddressList = Handle<addrinfo, freeaddrinfo>;

Result<UniqueFd> connect_to(const addrinfo& address) {
  UniqueFd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return errno_error("socket");
  }
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS) {
    return errno_error("connect");
  }
  pollfd p{fd.get(), POLLOUT, 0};
  if (::poll(&p, 1, kConnectMs) <= 0) {
    return Error{Errc::io, "no answer within 10 s"};
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    errno = error;
    return errno_error("connect");
  }
  set_tcp_keepalive(fd.get());
  return fd;
}

}  // namespace

std::optional<std::string> why_never_dialled(const sockaddr* address,
                                             const std::vector<std::string>& own_listeners) {
  const std::string shown = numeric_address(address);
  bool refused = true;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    refused = is_denied_address(v4.sin_addr);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    refused = is_denied_address(v6.sin6_addr);
  }
  if (refused) {
    return shown + " is an address that is never dialled (link-local, multicast or metadata)";
  }
  if (std::find(own_listeners.begin(), own_listeners.end(), shown) != own_listeners.end()) {
    return shown + " is this bastion itself";
  }
  return std::nullopt;
}

bool leads_back(int fd, const std::vector<std::string>& own_listeners) {
  const std::string peer = socket_address(fd, ::getpeername);
  const bool same_host =
      peer.starts_with("127.") || host_of(peer) == host_of(socket_address(fd, ::getsockname));
  return std::any_of(own_listeners.begin(), own_listeners.end(), [&](const std::string& own) {
    return own == peer || (same_host && listens_everywhere(own) && same_port(own, peer));
  });
}

Result<UniqueFd> dial(const std::string& target_address,
                      const std::vector<std::string>& own_listeners) {
  const auto endpoint = parse_host_port(target_address, kSshPort);
  if (!endpoint) {
    return endpoint.error();
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(endpoint->host.c_str(), std::to_string(endpoint->port).c_str(), &hints, &found);
  if (error != 0) {
    return Error{Errc::io, endpoint->host + ": " + gai_strerror(error)};
  }
  const AddressList addresses(found);
  // Resolved once: what was checked is what is dialled.
  Error last{Errc::io, "no address"};
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    if (const auto why = why_never_dialled(a->ai_addr, own_listeners)) {
      last = Error{Errc::denied, *why};
      continue;
    }
    auto connected = connect_to(*a);
    if (!connected) {
      last = connected.error();
    } else if (leads_back(connected->get(), own_listeners)) {
      last = Error{Errc::denied, numeric_address(a->ai_addr) + " is this bastion itself"};
    } else {
      return connected;
    }
  }
  return last;
}

}  // namespace sallyport::back
