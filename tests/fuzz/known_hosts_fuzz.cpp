// SPDX-License-Identifier: Apache-2.0
//
// A known_hosts file as a whole, through to what it would change in a small inventory.
#include "bastion/ctl/host_keys/host_patterns.h"
#include "bastion/ctl/host_keys/import_plan.h"

#include <algorithm>
#include <cstdlib>

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Config config = [] {
    Config inventory;
    inventory.targets["web1"] = {
        "10.0.0.5:22",
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJL"},
        ""};
    inventory.targets["web2"] = {"[fe80::2]:2222", {}, ""};
    return inventory;
  }();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = parse_known_hosts(text);
  const auto plan = plan_import(file, config);
  for (const auto& [name, keys] : plan.pins) {
    for (const auto& key : keys) {
      if (!parse_public_key_line(key) ||
          std::find(plan.revoked.begin(), plan.revoked.end(), key) != plan.revoked.end()) {
        std::abort();
      }
    }
  }
  for (const auto& [why, lines] : plan.not_used) {
    (void)list_lines(lines);
  }
  return 0;
}
