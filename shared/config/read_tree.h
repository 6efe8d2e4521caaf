// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/check.h"

#include <map>

namespace sallyport {

// Where each key of the configuration stood: "identity.issuer", "roles.ops", "roles.ops.logins".
using Places = std::map<std::string, Place>;

// Fills a Config by the tables of directives.h. Everything that is wrong goes to `errors`; reading
// goes on after it.
Config read_tree(const JsonNode& root, Places& places, std::vector<Finding>& errors);

// What no single key can tell: rules between keys.
void check_together(Config& config, const Places& places, ConfigReport& report);

}  // namespace sallyport
