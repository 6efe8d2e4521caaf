// SPDX-License-Identifier: Apache-2.0
#include "shared/base/denied_address.h"

#include <cstdint>
#include <cstring>

namespace sallyport {

bool is_denied_address(const in_addr& address) {
  const uint32_t a = ntohl(address.s_addr);
  return a == 0 || (a >> 28) == 14 /* 224/4 */ || (a >> 28) == 15 /* 240/4 */ ||
         (a >> 16) == 0xa9fe /* 169.254/16 */;
}

bool is_denied_address(const in6_addr& a) {
  if (IN6_IS_ADDR_V4MAPPED(&a) || IN6_IS_ADDR_V4COMPAT(&a)) {
    in_addr v4{};
    std::memcpy(&v4, a.s6_addr + 12, sizeof v4);
    return !IN6_IS_ADDR_LOOPBACK(&a) && is_denied_address(v4);
  }
  static constexpr uint8_t kMetadata[16] = {0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0,
                                            0,    0, 0,    0,    0, 0, 2, 0x54};
  return IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_MULTICAST(&a) || IN6_IS_ADDR_LINKLOCAL(&a) ||
         std::memcmp(a.s6_addr, kMetadata, sizeof kMetadata) == 0;
}

}  // namespace sallyport
