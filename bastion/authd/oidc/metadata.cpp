// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/metadata.h"

#include "bastion/authd/oidc/json.h"
#include "bastion/authd/oidc/url.h"
#include "shared/base/printable.h"

namespace sallyport {
namespace {

enum class Need { required, optional };

Result<std::string> endpoint(const json_t* document, const char* name, Need need,
                             const std::string& issuer) {
  const std::string url(json_text(document, name).value_or(""));
  if (url.empty() && need == Need::optional) {
    return url;
  }
  if (url.empty()) {
    return Error{Errc::protocol, "discovery document of " + issuer + " has no " + name};
  }
  if (!is_url_allowed(url, issuer)) {
    return Error{Errc::protocol, "discovery document of " + issuer + ": " + name + " \"" +
                                     printable(url) + "\" is not https"};
  }
  return url;
}

}  // namespace

Result<Metadata> parse_metadata(std::string_view text, const std::string& issuer) {
  auto document = parse_json_object(text, "discovery document of " + issuer);
  if (!document) {
    return document.error();
  }
  const std::string stated(json_text(document->get(), "issuer").value_or(""));
  if (stated != issuer) {
    return Error{Errc::protocol, "discovery document names the issuer \"" + printable(stated) +
                                     "\", the configuration \"" + issuer + "\""};
  }
  Metadata metadata;
  const struct {
    const char* name;
    Need need;
    std::string* value;
  } fields[] = {
      {"jwks_uri", Need::required, &metadata.jwks_uri},
      {"token_endpoint", Need::required, &metadata.token_endpoint},
      {"device_authorization_endpoint", Need::required, &metadata.device_authorization_endpoint},
      {"userinfo_endpoint", Need::optional, &metadata.userinfo_endpoint},
  };
  for (const auto& field : fields) {
    auto url = endpoint(document->get(), field.name, field.need, issuer);
    if (!url) {
      return url.error();
    }
    *field.value = std::move(*url);
  }
  return metadata;
}

}  // namespace sallyport
