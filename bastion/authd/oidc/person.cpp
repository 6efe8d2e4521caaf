// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/oidc/person.h"

#include "bastion/authd/oidc/claim_mapping.h"
#include "bastion/authd/oidc/id_token.h"

#include <jansson.h>

namespace sallyport {
namespace {

constexpr size_t kMaxClaimsBytes = 128 * 1024;

bool lacks_claims(const json_t* claims, const ProviderSettings& settings) {
  const bool groups_missing =
      !settings.groups_claim.empty() && find_claim(claims, settings.groups_claim) == nullptr;
  return groups_missing || find_claim(claims, settings.name_claim) == nullptr;
}

Result<Json> fetch_userinfo(Provider& provider, const std::string& url, const Tokens& tokens,
                            const std::string& subject) {
  const auto reply = provider.get_with_token(url, tokens.access_token);
  if (!reply) {
    return reply.error();
  }
  if (reply->status != 200) {
    return Error{Errc::io, url + ": HTTP status " + std::to_string(reply->status)};
  }
  auto userinfo = parse_json_object(reply->body, "userinfo of " + provider.settings().issuer);
  if (userinfo && json_text(userinfo->get(), "sub") != subject) {
    return Error{Errc::protocol, "userinfo of " + provider.settings().issuer +
                                     " speaks of another subject than the ID token"};
  }
  return userinfo;
}

Status add_userinfo(Provider& provider, const Tokens& tokens, IdClaims& claims) {
  const auto metadata = provider.metadata();
  if (!metadata) {
    return metadata.error();
  }
  const std::string& url = (*metadata)->userinfo_endpoint;
  if (url.empty() || !lacks_claims(claims.json.get(), provider.settings())) {
    return ok();
  }
  const auto userinfo = fetch_userinfo(provider, url, tokens, claims.subject);
  if (!userinfo) {
    return userinfo.error();
  }
  json_object_update_missing(claims.json.get(), userinfo->get());
  return ok();
}

}  // namespace

Result<Person> identify_person(Provider& provider, const Tokens& tokens,
                               const std::optional<std::string>& nonce) {
  std::string token(tokens.id_token.view());
  auto claims = verify_id_token(provider, token, nonce);
  wipe(token);
  if (!claims) {
    return claims.error();
  }
  if (Status added = add_userinfo(provider, tokens, *claims); !added) {
    return added.error();
  }
  const ProviderSettings& settings = provider.settings();
  auto groups = read_groups(claims->json.get(), settings.groups_claim);
  if (!groups) {
    return groups.error();
  }
  Person person{claims->issuer,
                claims->subject,
                read_name(claims->json.get(), settings.name_claim).value_or(claims->subject),
                std::move(groups->names),
                groups->present,
                to_compact_json(claims->json.get()),
                claims->authenticated_at,
                claim_mapping(settings)};
  if (person.claims.size() > kMaxClaimsBytes) {
    return Error{Errc::limit, "the claims of " + settings.issuer + " are longer than " +
                                  std::to_string(kMaxClaimsBytes) + " bytes"};
  }
  return person;
}

}  // namespace sallyport
