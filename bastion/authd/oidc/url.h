// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace sallyport {

// What an address from a configuration or a discovery document may be: https, or plain http on this
// very machine (127.0.0.0/8, [::1], localhost), which tests and the development provider use.
// Credentials in the URL, fragments, control and non-ASCII characters make it `refused`.
enum class UrlKind { refused, https, http_loopback };
UrlKind classify_url(std::string_view url);

// The rule for everything a provider names: https always; plain loopback http only where the
// issuer itself is such an address, so that an https issuer cannot point us at a local service.
bool is_url_allowed(std::string_view url, std::string_view issuer);

}  // namespace sallyport
