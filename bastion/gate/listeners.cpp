// SPDX-License-Identifier: Apache-2.0
#include "bastion/gate/listeners.h"

#include "shared/base/handle.h"
#include "shared/base/log.h"
#include "shared/base/socket_address.h"
#include "shared/config/address.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <systemd/sd-daemon.h>

#include <cerrno>

namespace sallyport::gate {

namespace {

constexpr int kBacklog = 1024;

Result<UniqueFd> listen_on(const addrinfo& address) {
  UniqueFd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return errno_error("socket");
  }
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ai_family == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(fd.get(), address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return errno_error("listening on " + numeric_address(address.ai_addr));
  }
  return fd;
}

Status open_address(const std::string& address, std::vector<UniqueFd>& listeners) {
  const auto endpoint = parse_host_port(address, 0);
  if (!endpoint) {
    return endpoint.error();
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(endpoint->host.c_str(), std::to_string(endpoint->port).c_str(), &hints, &found);
  if (error != 0) {
    return Error{Errc::invalid, "listen: " + address + ": " + gai_strerror(error)};
  }
  const Handle<addrinfo, freeaddrinfo> addresses(found);
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    auto fd = listen_on(*a);
    if (fd) {
      listeners.push_back(std::move(*fd));
    } else if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) {
      return fd.error();
    }
  }
  return ok();
}

}  // namespace

Result<std::vector<UniqueFd>> open_listeners(const std::vector<std::string>& addresses) {
  std::vector<UniqueFd> listeners;
  const int handed_over = ::sd_listen_fds(1);
  for (int i = 0; i < handed_over; ++i) {
    const int fd = SD_LISTEN_FDS_START + i;
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    listeners.emplace_back(fd);
  }
  for (const std::string& address : handed_over > 0 ? std::vector<std::string>{} : addresses) {
    if (const Status opened = open_address(address, listeners); !opened) {
      return opened.error();
    }
  }
  if (listeners.empty()) {
    return Error{Errc::io, "nothing to listen on; look at \"listen\" in the configuration"};
  }
  return listeners;
}

std::vector<std::string> listener_addresses(const std::vector<UniqueFd>& listeners) {
  std::vector<std::string> addresses;
  for (const UniqueFd& fd : listeners) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      addresses.push_back(numeric_address(reinterpret_cast<const sockaddr*>(&address)));
    }
  }
  return addresses;
}

}  // namespace sallyport::gate
