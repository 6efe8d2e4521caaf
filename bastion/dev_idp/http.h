// SPDX-License-Identifier: Apache-2.0
//
// The development provider's HTTP: what may be asked, and the strictness that all of it shares
// (our own Host only, a bounded body, no field twice, nothing cached).
#pragma once

#include "bastion/dev_idp/provider.h"

#include <cstdint>
#include <memory>
#include <string>

namespace httplib {
class Server;
}

namespace sallyport {

class DevHttp {
public:
  // `host` is what the Host header must say ("127.0.0.1:8080"): another name that resolves to
  // loopback would let a foreign page talk to us as if it were ours.
  // `password` is asked from whoever signs in; "" asks for none.
  DevHttp(DevProvider& provider, std::string host, std::string password);
  ~DevHttp();
  DevHttp(const DevHttp&) = delete;
  DevHttp& operator=(const DevHttp&) = delete;

  Status bind(uint16_t port);  // 127.0.0.1, nothing else
  void serve();                // returns after stop(), which any thread may call
  void stop();

private:
  void route_api();
  void route_pages();

  DevProvider& provider_;
  const std::string host_;
  const std::string password_;
  std::string csrf_key_;
  std::unique_ptr<httplib::Server> server_;
};

}  // namespace sallyport
