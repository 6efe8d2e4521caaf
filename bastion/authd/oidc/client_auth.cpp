// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/client_auth.h"

#include "bastion/authd/oidc/liboauth2.h"
#include "shared/base/hex.h"

#include <memory>

namespace sallyport {
namespace {

// liboauth2 frees with (log, object); these pair the two.
class NameValues {
public:
  explicit NameValues(oauth2_log_t* log) : log_(log), list_(oauth2_nv_list_init(log)) {}
  NameValues(const NameValues&) = delete;
  NameValues& operator=(const NameValues&) = delete;
  ~NameValues() { oauth2_nv_list_free(log_, list_); }
  oauth2_nv_list_t* get() { return list_; }
  void add(const char* name, const std::string& value) {
    oauth2_nv_list_add(log_, list_, name, value.c_str());
  }
  std::string value(const char* name) const {
    const char* text = oauth2_nv_list_get(log_, list_, name);
    return text == nullptr ? "" : text;
  }

private:
  oauth2_log_t* log_;
  oauth2_nv_list_t* list_;
};

struct LogFreer {
  oauth2_log_t* log;
  void operator()(oauth2_http_call_ctx_t* call) const { oauth2_http_call_ctx_free(log, call); }
  void operator()(oauth2_cfg_endpoint_auth_t* auth) const {
    oauth2_cfg_endpoint_auth_free(log, auth);
  }
};

// RFC 7523: client_assertion and client_assertion_type, valid for 60 s, signed by liboauth2.
Status add_assertion(oauth2_log_t* log, const ProviderSettings& settings,
                     const std::string& audience, HttpForm& form) {
  std::string jwk(settings.client_key_jwk.view());
  NameValues options(log);
  options.add("client_id", settings.client_id);
  options.add("jwk", jwk);
  options.add("aud", audience);
  wipe(jwk);
  const std::unique_ptr<oauth2_cfg_endpoint_auth_t, LogFreer> auth(
      oauth2_cfg_endpoint_auth_init(log), LogFreer{log});
  const Oauth2Text error(
      oauth2_cfg_set_endpoint_auth(log, auth.get(), "private_key_jwt", options.get(), nullptr));
  const std::unique_ptr<oauth2_http_call_ctx_t, LogFreer> call(oauth2_http_call_ctx_init(log),
                                                               LogFreer{log});
  NameValues signed_form(log);
  if (error || !oauth2_http_ctx_auth_add(log, call.get(), auth.get(), signed_form.get())) {
    return Error{Errc::invalid, "client_key_jwk: not an RSA private key that can sign"};
  }
  for (const char* name : {"client_assertion_type", "client_assertion"}) {
    form.emplace_back(name, signed_form.value(name));
  }
  return ok();
}

std::string basic_header(const std::string& id, std::string secret) {
  std::string pair = id + ":" + secret;
  std::string encoded = to_base64(as_bytes(pair));
  std::string header = "Authorization: Basic " + encoded;
  wipe(secret);
  wipe(pair);
  wipe(encoded);
  return header;
}

}  // namespace

Status add_client_authentication(const OauthLibrary& library, const ProviderSettings& settings,
                                 const std::string& token_endpoint, HttpForm& form,
                                 HttpRequest& request) {
  switch (settings.client_authentication) {
    case ClientAuthentication::basic:
      request.headers.push_back(basic_header(form_encode(settings.client_id),
                                             form_encode(settings.client_secret.view())));
      return ok();
    case ClientAuthentication::basic_raw:
      request.headers.push_back(
          basic_header(settings.client_id, std::string(settings.client_secret.view())));
      return ok();
    case ClientAuthentication::post:
      form.emplace_back("client_secret", settings.client_secret.view());
      break;
    case ClientAuthentication::private_key_jwt: {
      const std::string& audience = settings.client_assertion_audience;
      Status added = add_assertion(library.log(), settings,
                                   audience.empty() ? token_endpoint : audience, form);
      if (!added) {
        return added;
      }
      break;
    }
    case ClientAuthentication::none:
      break;
  }
  form.emplace_back("client_id", settings.client_id);
  return ok();
}

}  // namespace sallyport
