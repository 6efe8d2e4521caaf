// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/provider.h"
#include "shared/base/secret_bytes.h"
#include "shared/config/config.h"

#include <memory>
#include <string>

namespace sallyport {

// The file that proves us to the provider, as the configuration names it: a secret, a JWK, or
// nothing.
struct ClientCredential {
  std::string path;  // "": none is needed
  SecretBytes bytes;
};
std::string credential_path(const IdentityConfig& identity);
// Read before privilege is dropped: the file may be root's alone. Others must not be able to read
// it.
Result<ClientCredential> read_client_credential(const IdentityConfig& identity);

// The provider that the configuration names. Asks nothing of the network yet.
Result<std::shared_ptr<Provider>> make_provider(const OauthLibrary& library, const Config& config,
                                                const ClientCredential& credential);

}  // namespace sallyport
