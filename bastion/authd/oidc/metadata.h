// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <string>
#include <string_view>

namespace sallyport {

// What we use of a discovery document (OpenID Connect Discovery 3, RFC 8628 4).
struct Metadata {
  std::string jwks_uri;
  std::string token_endpoint;
  std::string device_authorization_endpoint;
  std::string userinfo_endpoint;  // empty where the provider has none
};

// The document's issuer must be `issuer` byte by byte, and every address must pass the https rule.
Result<Metadata> parse_metadata(std::string_view document, const std::string& issuer);

}  // namespace sallyport
