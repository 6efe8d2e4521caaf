// SPDX-License-Identifier: Apache-2.0
#include "tests/bastion/authd/oidc_world.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace sallyport::test {

OidcWorld::OidcWorld() {
  auto created = OauthLibrary::create([](LogLevel, std::string_view) {});
  if (!created) {
    throw std::runtime_error(created.error().message);
  }
  library = *std::move(created);
}

OidcWorld& OidcWorld::get() {
  static OidcWorld world;
  return world;
}

void OidcWorld::serve_discovery(const std::string& name) {
  const std::string issuer = this->issuer(name);
  const nlohmann::json document = {{"issuer", issuer},
                                   {"jwks_uri", issuer + "/jwks"},
                                   {"token_endpoint", issuer + "/token"},
                                   {"device_authorization_endpoint", issuer + "/device"},
                                   {"userinfo_endpoint", issuer + "/userinfo"}};
  server.set("/" + name + "/.well-known/openid-configuration", document.dump());
}

ProviderSettings OidcWorld::settings(const std::string& name) const {
  ProviderSettings settings;
  settings.issuer = issuer(name);
  settings.client_id = "bastion";
  return settings;
}

}  // namespace sallyport::test
