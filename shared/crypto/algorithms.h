// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <string_view>

namespace sallyport {

// OpenSSL's algorithms, fetched once and kept. Fetching reads openssl.cnf and may load a provider,
// so a process that goes into a sandbox calls prepare_crypto() before it; after that nothing in
// shared/crypto opens a file, and only malloc and getrandom(2) are needed.
struct Algorithms {
  EVP_CIPHER* aes_256_gcm;
  EVP_CIPHER* chacha20_poly1305;
  EVP_MD* sha256;
  EVP_KDF* hkdf;
  EVP_MAC* hmac;
};
const Algorithms& algorithms();

// Fetches everything, and uses random numbers and each algorithm once.
void prepare_crypto();

// For calls that fail only when memory or OpenSSL itself is broken (STYLE: our own invariant).
inline bool openssl_ok(int result) {
  return result == 1;
}
void require_openssl(bool done, std::string_view what);

}  // namespace sallyport
