// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

// Why libcurl itself and not liboauth2's oauth2_http_call(): that one follows redirects and offers
// no way to stop it, and a 307 then repeats the whole form, client secret and device code included,
// at whatever host it names (measured on 1.4.5.4; 2.x also sends a failed POST twice). Here a
// redirect is an answer like any other, never an instruction.
struct HttpSettings {
  std::string ca_file;  // PEM; empty for the system's
  std::string proxy;    // empty for none: http_proxy and its kin in the environment are ignored
  std::chrono::milliseconds timeout{10'000};  // of a whole call
};

using HttpForm = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string accept = "application/json";
  std::string body;  // not empty makes it a POST, of a form unless headers say else
  size_t max_reply_bytes = 256 * 1024;
};

struct HttpReply {
  long status = 0;
  std::string body;
};

// One blocking call on a connection of its own; curl_global_init() has run. Any
// status is a reply. Errors: `io` with the URL and the reason (also for a timeout), `limit` where
// the reply is longer than max_reply_bytes (reading stops there).
Result<HttpReply> http_call(const HttpSettings& settings, const HttpRequest& request);

// application/x-www-form-urlencoded
std::string form_encode(std::string_view text);
std::string form_encode(const HttpForm& form);

// Strings that held a secret are overwritten before they go.
void wipe(std::string& text) noexcept;

}  // namespace sallyport
