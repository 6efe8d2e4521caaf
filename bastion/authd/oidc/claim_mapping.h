// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sallyport {

std::string digest_of_mapping(std::span<const std::string_view> parts);

// Under which settings claims were read, as a digest: of ProviderSettings or of the configuration's
// IdentityConfig, which say the same. What is known of a person under other settings may mean
// something else: another claim's groups, another client's.
std::string claim_mapping(const auto& settings) {
  const std::string_view parts[] = {settings.issuer, settings.client_id, settings.groups_claim,
                                    settings.name_claim};
  return digest_of_mapping(parts);
}

}  // namespace sallyport
