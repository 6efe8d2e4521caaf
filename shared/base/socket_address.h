// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <string>

namespace sallyport {

std::string numeric_address(const sockaddr* address);  // "127.0.0.1:22", "[::1]:22"
std::string numeric_host(const sockaddr* address);     // "127.0.0.1", also where it came mapped

}  // namespace sallyport
