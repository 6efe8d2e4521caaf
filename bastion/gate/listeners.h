// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

#include <sys/socket.h>

#include <string>
#include <vector>

namespace sallyport::gate {

struct Endpoint {
  std::string host;
  std::string port;
};
// "host:port", "[v6]:port", "host", "[v6]", "v6".
Result<Endpoint> split_address(const std::string& address, const std::string& default_port);
std::string numeric_address(const sockaddr* address);  // "127.0.0.1:22", "[::1]:22"
std::string numeric_host(const sockaddr* address);     // "127.0.0.1"

// The sockets that systemd hands over (sd_listen_fds), or those of the configuration. An address
// family that the machine lacks is skipped; none at all is an error.
Result<std::vector<UniqueFd>> open_listeners(const std::vector<std::string>& addresses);
std::vector<std::string> listener_addresses(const std::vector<UniqueFd>& listeners);

}  // namespace sallyport::gate
