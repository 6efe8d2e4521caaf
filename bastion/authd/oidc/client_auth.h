// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/http/http_client.h"
#include "bastion/authd/oidc/oauth_library.h"
#include "bastion/authd/oidc/provider_settings.h"

#include <string>

namespace sallyport {

// Adds client id and proof to a request of the device or the token endpoint. `token_endpoint` is
// the audience of an assertion where the settings name none.
Status add_client_authentication(const OauthLibrary& library, const ProviderSettings& settings,
                                 const std::string& token_endpoint, HttpForm& form,
                                 HttpRequest& request);

}  // namespace sallyport
