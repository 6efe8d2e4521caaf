// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/id_token.h"

#include "bastion/authd/oidc/jws.h"
#include "bastion/authd/oidc/signature.h"

namespace sallyport {
namespace {

TokenExpectations expectations(const ProviderSettings& settings,
                               const std::optional<std::string>& nonce) {
  return {settings.issuer,
          settings.client_id,
          settings.leeway,
          settings.max_token_lifetime,
          settings.max_authentication_age,
          nonce};
}

}  // namespace

Result<IdClaims> verify_id_token(Provider& provider, const std::string& token,
                                 const std::optional<std::string>& nonce) {
  auto decoded = decode_token(token);
  if (!decoded) {
    return decoded.error();
  }
  // Before any key is fetched: another issuer's token shall not make us do work.
  if (json_text(decoded->payload.get(), "iss") != provider.settings().issuer) {
    return Error{Errc::protocol, "ID token: iss is not " + provider.settings().issuer};
  }
  const auto key = provider.key_for(decoded->header);
  if (!key) {
    return key.error();
  }
  Status signature = verify_signature(provider.library(), *key, token);
  if (!signature) {
    if (const auto other = provider.replaced_key_for(decoded->header, *key)) {
      signature = verify_signature(provider.library(), *other, token);
    }
  }
  if (!signature) {
    return signature.error();
  }
  return check_claims(std::move(decoded->payload), expectations(provider.settings(), nonce),
                      provider.clock().wall());
}

}  // namespace sallyport
