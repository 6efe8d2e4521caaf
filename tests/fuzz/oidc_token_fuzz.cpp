// SPDX-License-Identifier: Apache-2.0
// Everything that is read before and after a signature check: the token itself, a key set, claims,
// a discovery document. The first byte says which.
#include "bastion/authd/oidc/claims.h"
#include "bastion/authd/oidc/key_set.h"
#include "bastion/authd/oidc/metadata.h"
#include "bastion/authd/oidc/scrub.h"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace sallyport;

void require(bool fact) {
  if (!fact) {
    std::abort();
  }
}

void fuzz_token(std::string_view text) {
  const auto token = decode_token(text);
  require(!token || is_allowed_algorithm(token->header.alg));
  if (const auto bytes = decode_base64url(text)) {
    require(encode_base64url(*bytes) == text);
  }
}

void fuzz_keys(std::string_view text) {
  const auto set = KeySet::parse(text);
  for (const char* alg : {"RS256", "ES256", "ES384", "ES512"}) {
    const auto key = set ? set->choose({alg, "k1"}) : Result<std::string>(set.error());
    require(!key || static_cast<bool>(parse_json_object(*key, "key")));
  }
}

void fuzz_claims(std::string_view text) {
  auto json = parse_json_object(text, "claims");
  if (!json) {
    return;
  }
  (void)read_groups(json->get(), "groups");
  (void)read_groups(json->get(), "a.b.c");
  (void)read_name(json->get(), "preferred_username");
  TokenExpectations expected;
  expected.issuer = "https://idp.example.org";
  expected.client_id = "bastion";
  const std::chrono::sys_seconds now{std::chrono::seconds(1'800'000'000)};
  const auto claims = check_claims(*std::move(json), expected, now);
  require(!claims || (!claims->subject.empty() && claims->subject.size() <= 255));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      fuzz_token(text);
      break;
    case 'k':
      fuzz_keys(text);
      break;
    case 'c':
      fuzz_claims(text);
      break;
    case 'd':
      (void)parse_metadata(text, "https://idp.example.org");
      break;
    default:
      (void)scrub_secrets(text);
  }
  return 0;
}
