// SPDX-License-Identifier: Apache-2.0
#include "shared/base/secret_bytes.h"

#include <openssl/crypto.h>

#include <utility>

namespace sallyport {

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
  }
  return *this;
}

void SecretBytes::wipe() noexcept {
  if (!bytes_.empty()) {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
  }
  bytes_.clear();
}

}  // namespace sallyport
