// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/provider_settings.h"

#include "bastion/authd/oidc/json.h"
#include "bastion/authd/oidc/url.h"
#include "shared/base/printable.h"

#include <algorithm>

namespace sallyport {
namespace {

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

Status check_addresses(const ProviderSettings& settings) {
  if (classify_url(settings.issuer) == UrlKind::refused ||
      settings.issuer.find('?') != std::string::npos) {
    return invalid("issuer: \"" + printable(settings.issuer) +
                   "\" is neither an https URL nor http on this machine's loopback");
  }
  if (!is_url_allowed(discovery_url(settings), settings.issuer)) {
    return invalid("discovery_url: \"" + printable(settings.discovery_url) + "\" is not https");
  }
  return ok();
}

}  // namespace

std::string discovery_url(const ProviderSettings& settings) {
  if (!settings.discovery_url.empty()) {
    return settings.discovery_url;
  }
  return settings.issuer + (settings.issuer.ends_with('/') ? "" : "/") +
         ".well-known/openid-configuration";
}

Status check_provider_settings(const ProviderSettings& settings) {
  if (Status status = check_addresses(settings); !status) {
    return status;
  }
  if (settings.client_id.empty()) {
    return invalid("client_id is empty");
  }
  const auto& scopes = settings.scopes;
  if (std::find(scopes.begin(), scopes.end(), "openid") == scopes.end()) {
    return invalid("scopes: without \"openid\" the provider sends no ID token");
  }
  switch (settings.client_authentication) {
    case ClientAuthentication::none:
      break;
    case ClientAuthentication::private_key_jwt:
      if (!parse_json_object(settings.client_key_jwk.view(), "client_key_jwk")) {
        return invalid("client_key_jwk: private_key_jwt needs an RSA private key as a JWK");
      }
      break;
    default:
      if (settings.client_secret.empty()) {
        return invalid(
            "client_secret is empty; for a public client set client_authentication "
            "to none");
      }
  }
  return ok();
}

}  // namespace sallyport
