// SPDX-License-Identifier: Apache-2.0
#include "shared/base/socket_address.h"

#include <netdb.h>
#include <netinet/in.h>

namespace sallyport {

namespace {

std::string name_of(const sockaddr* address, bool with_port) {
  const socklen_t size =
      address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (::getnameinfo(address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  if (!with_port) {
    return host;
  }
  const bool v6 = address->sa_family == AF_INET6;
  return (v6 ? "[" : "") + std::string(host) + (v6 ? "]:" : ":") + port;
}

}  // namespace

std::string numeric_address(const sockaddr* address) {
  return name_of(address, true);
}

std::string numeric_host(const sockaddr* address) {
  // On a socket of both families, as systemd makes for ListenStream=2222, IPv4 comes mapped.
  const std::string host = name_of(address, false);
  const bool mapped = host.starts_with("::ffff:") && host.find('.') != std::string::npos;
  return mapped ? host.substr(host.rfind(':') + 1) : host;
}

}  // namespace sallyport
