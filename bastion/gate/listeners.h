// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

#include <string>
#include <vector>

namespace sallyport::gate {

// The sockets that systemd hands over (sd_listen_fds), or those of the configuration. An address
// family that the machine lacks is skipped; none at all is an error.
Result<std::vector<UniqueFd>> open_listeners(const std::vector<std::string>& addresses);
std::vector<std::string> listener_addresses(const std::vector<UniqueFd>& listeners);

}  // namespace sallyport::gate
