// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/signature.h"

#include "bastion/authd/oidc/json.h"
#include "bastion/authd/oidc/liboauth2.h"

#include <memory>
#include <type_traits>

namespace sallyport {
namespace {

struct VerifierFreer {
  oauth2_log_t* log;
  void operator()(oauth2_cfg_token_verify_t* verifier) const {
    oauth2_cfg_token_verify_free(log, verifier);
  }
};

// Later 2.x releases added a status code to the arguments of oauth2_token_verify().
template <class Verify>
bool call_verify(Verify verify, oauth2_log_t* log, oauth2_cfg_token_verify_t* verifier,
                 const char* token, json_t** payload) {
  if constexpr (std::is_invocable_v<Verify, oauth2_log_t*, oauth2_http_request_t*,
                                    oauth2_cfg_token_verify_t*, const char*, json_t**>) {
    return verify(log, nullptr, verifier, token, payload);
  } else {
    oauth2_http_status_code_t status = 0;
    return verify(log, nullptr, verifier, token, payload, &status);
  }
}

// expiry=0: its result cache is keyed by the token alone and would answer for another key, or after
// the token has expired. The claims are checked by check_claims().
constexpr const char* kOptions =
    "verify.cache=v&expiry=0&verify.exp=skip&verify.iat=skip&verify.iss=skip";

}  // namespace

Status verify_signature(const OauthLibrary& library, const std::string& jwk,
                        const std::string& token) {
  oauth2_cfg_token_verify_t* raw = nullptr;
  const Oauth2Text error(
      oauth2_cfg_token_verify_add_options(library.log(), &raw, "jwk", jwk.c_str(), kOptions));
  const std::unique_ptr<oauth2_cfg_token_verify_t, VerifierFreer> verifier(
      raw, VerifierFreer{library.log()});
  if (error || !verifier) {
    return Error{Errc::protocol, "key set: the key that the token names cannot be used"};
  }
  json_t* payload = nullptr;
  const bool good =
      call_verify(oauth2_token_verify, library.log(), verifier.get(), token.c_str(), &payload);
  const Json holder(payload);
  if (!good) {
    return Error{Errc::protocol, "token: wrong signature"};
  }
  return ok();
}

}  // namespace sallyport
