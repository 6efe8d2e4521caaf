// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/claims.h"
#include "bastion/authd/oidc/provider.h"

#include <optional>
#include <string>

namespace sallyport {

// The whole judgement of an ID token: form, algorithm, one key chosen by us, its signature
// (with a second key only where the provider replaced the first), claims. Blocks where keys have to
// be fetched. Errors: `protocol` for a token that must not be believed, `io` and `limit` where the
// keys cannot be had, `not_found` where no key fits.
Result<IdClaims> verify_id_token(Provider& provider, const std::string& token,
                                 const std::optional<std::string>& nonce = std::nullopt);

}  // namespace sallyport
