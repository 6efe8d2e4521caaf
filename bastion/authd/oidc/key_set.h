// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/authd/oidc/jws.h"
#include "shared/base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// The provider's public keys. Only what can verify a signature that we accept is kept: RSA of 2,048
// to 8,192 bits, EC on P-256, P-384 and P-521, neither marked for encryption. Everything else in
// the document is passed over, as RFC 7517 5 asks.
class KeySet {
public:
  static Result<KeySet> parse(std::string_view document);

  // The one key for this header, as a JWK of its public numbers alone. It must fit the algorithm;
  // with a kid in the header it must bear that kid; without one it must be the only key that fits.
  // `not_found` says that fetching again may help.
  Result<std::string> choose(const JwsHeader& header) const;

  size_t size() const { return keys_.size(); }

private:
  struct Key {
    std::string kty;
    std::string crv;  // EC
    std::string alg;  // empty: any that fits the type
    std::optional<std::string> kid;
    std::string jwk;
  };
  static std::optional<Key> read_key(const json_t* json);
  static bool fits(const Key& key, const JwsHeader& header);

  std::vector<Key> keys_;
};

}  // namespace sallyport
