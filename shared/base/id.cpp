// SPDX-License-Identifier: Apache-2.0
#include "shared/base/id.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"

#include <openssl/rand.h>

namespace sallyport {

Id Id::random() {
  Id id;
  if (RAND_bytes(id.bytes.data(), static_cast<int>(id.bytes.size())) != 1) {
    fatal("no random bytes");
  }
  return id;
}

std::optional<Id> Id::from_hex(std::string_view hex) {
  const auto bytes = sallyport::from_hex(hex);
  Id id;
  if (!bytes || bytes->size() != id.bytes.size()) {
    return std::nullopt;
  }
  std::copy(bytes->begin(), bytes->end(), id.bytes.begin());
  return id;
}

std::string Id::hex() const {
  return to_hex(bytes);
}

}  // namespace sallyport
