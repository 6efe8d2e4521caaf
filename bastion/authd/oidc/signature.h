// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/oauth_library.h"

#include <string>

namespace sallyport {

// One signature check with one key by liboauth2; none of its claim checks and none of its caching.
Status verify_signature(const OauthLibrary& library, const std::string& jwk,
                        const std::string& token);

}  // namespace sallyport
