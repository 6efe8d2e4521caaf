// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/ctl/init/options.h"

#include <string>

namespace sallyport {

// The commented sallyport.json that `init` writes.
std::string initial_config_text(const InitOptions& options);

}  // namespace sallyport
