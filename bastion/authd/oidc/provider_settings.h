// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/http/http_client.h"
#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// How we prove ourselves at the token endpoint. `basic` encodes id and secret as RFC 6749 2.3.1
// demands; `basic_raw` does not, for providers (glewlwyd) that forgot to decode. `private_key_jwt`
// is RS256 with an RSA key; liboauth2 knows no other.
enum class ClientAuthentication { none, basic, basic_raw, post, private_key_jwt };

struct ProviderSettings {
  std::string issuer;         // compared byte by byte with discovery and with every token
  std::string discovery_url;  // empty: issuer + /.well-known/openid-configuration
  std::string client_id;
  ClientAuthentication client_authentication = ClientAuthentication::none;
  SecretBytes client_secret;              // basic, basic_raw, post
  SecretBytes client_key_jwk;             // private_key_jwt: the private JWK as JSON text
  std::string client_assertion_audience;  // empty: the token endpoint
  HttpSettings http;
  std::vector<std::string> scopes = {"openid", "profile", "email"};
  std::string groups_claim = "groups";            // a path: realm_access.roles; empty: no groups
  std::string name_claim = "preferred_username";  // a path
  std::chrono::seconds leeway{60};
  std::chrono::seconds max_token_lifetime{24 * 3600};
  std::optional<std::chrono::seconds> max_authentication_age;  // asks for auth_time in the token
  std::chrono::seconds login_time_limit{180};
};

// The https rule for issuer and discovery address, and that what the chosen authentication needs is
// there. Errors are `invalid` and name the setting.
Status check_provider_settings(const ProviderSettings& settings);

std::string discovery_url(const ProviderSettings& settings);

}  // namespace sallyport
