// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/check.h"

#include <map>
#include <string>
#include <utility>

namespace sallyport {

// One key of the configuration. In two parts, since the name of a target may hold dots: a target
// "db.address" is not the address of the target "db".
struct KeyPath {
  KeyPath(const char* top_key) : key(top_key) {}
  KeyPath(std::string of, std::string name) : owner(std::move(of)), key(std::move(name)) {}
  auto operator<=>(const KeyPath&) const = default;
  std::string text() const { return owner + (owner.empty() || key.empty() ? "" : ".") + key; }

  std::string owner;  // "", "roles.ops", "targets.db"
  std::string key;    // "identity.issuer", "logins"; "" is the owner itself
};

// Where each key stood.
using Places = std::map<KeyPath, Place>;

// Fills a Config by the tables of directives.h. Everything that is wrong goes to `errors`; reading
// goes on after it.
Config read_tree(const JsonNode& root, Places& places, std::vector<Finding>& errors);

// What no single key can tell: rules between keys.
void check_together(Config& config, const Places& places, ConfigReport& report);

}  // namespace sallyport
