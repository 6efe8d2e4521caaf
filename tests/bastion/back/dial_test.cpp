// SPDX-License-Identifier: Apache-2.0
#include "bastion/back/dial.h"

#include "shared/base/handle.h"
#include "tests/support/catch.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>

using namespace sallyport;
using namespace sallyport::back;

namespace {

std::optional<std::string> verdict(const std::string& host, uint16_t port = 22,
                                   const std::vector<std::string>& own = {}) {
  sockaddr_storage storage{};
  if (host.find(':') == std::string::npos) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    REQUIRE(::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1);
    std::memcpy(&storage, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    REQUIRE(::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1);
    std::memcpy(&storage, &v6, sizeof v6);
  }
  return why_never_dialled(reinterpret_cast<const sockaddr*>(&storage), own);
}

UniqueFd connected_to(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  REQUIRE(::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) == 0);
  const Handle<addrinfo, freeaddrinfo> owned(found);
  UniqueFd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(fd.get(), found->ai_addr, found->ai_addrlen) == 0);
  return fd;
}

}  // namespace

TEST_CASE("metadata, link-local, multicast and unspecified addresses are never dialled") {
  for (const char* never :
       {"0.0.0.0", "169.254.169.254", "169.254.1.1", "224.0.0.1", "239.1.1.1", "255.255.255.255",
        "::", "fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "::ffff:0.0.0.0"}) {
    INFO(never);
    CHECK(verdict(never));
  }
}

TEST_CASE("a target's address is dialled") {
  for (const char* fine : {"10.0.0.5", "192.168.1.1", "127.0.0.1", "::1", "2001:db8::1", "fd12::1",
                           "::ffff:10.0.0.5", "169.253.255.255"}) {
    INFO(fine);
    CHECK_FALSE(verdict(fine));
  }
}

TEST_CASE("the bastion does not dial itself") {
  CHECK(verdict("127.0.0.1", 2222, {"127.0.0.1:2222"}));
  CHECK_FALSE(verdict("127.0.0.1", 22, {"127.0.0.1:2222"}));
  CHECK(verdict("::1", 2222, {"[::1]:2222"}));
}

TEST_CASE("a connection that leads back to a bastion on all addresses is known") {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::listen(listener.get(), 8) == 0);  // on all addresses, at a port that the kernel picks
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  const std::string port = ":" + std::to_string(ntohs(bound.sin_port));
  const std::string own = "0.0.0.0" + port;
  for (const char* host : {"127.0.0.1", "127.0.0.2", "::ffff:127.0.0.1"}) {
    INFO(host);
    const UniqueFd there = connected_to(host, port.substr(1));
    CHECK(leads_back(there.get(), {own}));
    CHECK_FALSE(leads_back(there.get(), {"0.0.0.0:1"}));
  }
  // Another service of this host, with our port on another of its addresses.
  CHECK_FALSE(leads_back(connected_to("127.0.0.2", port.substr(1)).get(), {"127.0.0.1" + port}));
  CHECK(leads_back(connected_to("::ffff:127.0.0.1", port.substr(1)).get(), {"127.0.0.1" + port}));
}
