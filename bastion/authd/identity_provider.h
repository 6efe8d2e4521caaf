// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/provider.h"
#include "shared/config/config.h"

#include <memory>

namespace sallyport {

// The provider that the configuration names, with the client's secret or key read from its file.
// Asks nothing of the network yet.
Result<std::shared_ptr<Provider>> make_provider(const OauthLibrary& library, const Config& config);

}  // namespace sallyport
