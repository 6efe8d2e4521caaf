// SPDX-License-Identifier: Apache-2.0
//
// Private keys travel between our processes, and lie in the vault, as unencrypted PKCS#8 DER (RFC
// 5958) in SecretBytes.
#pragma once

#include "shared/base/handle.h"
#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <span>

namespace sallyport {

using EvpKey = Handle<EVP_PKEY, EVP_PKEY_free>;
using Pkcs8Info = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

inline Result<SecretBytes> to_pkcs8(const EVP_PKEY& key) {
  const Pkcs8Info info(EVP_PKEY2PKCS8(&key));
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr) : -1;
  if (size <= 0) {
    ERR_clear_error();
    return Error{Errc::internal, "OpenSSL cannot encode this private key"};
  }
  SecretBytes der(static_cast<size_t>(size));
  unsigned char* end = der.data();
  i2d_PKCS8_PRIV_KEY_INFO(info.get(), &end);
  return der;
}

// The whole of `der` is one key: a byte too many is an error like a byte too few.
inline Result<EvpKey> from_pkcs8(std::span<const uint8_t> der) {
  const unsigned char* end = der.data();
  const Pkcs8Info info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &end, static_cast<long>(der.size())));
  EvpKey key(info && end == der.data() + der.size() ? EVP_PKCS82PKEY(info.get()) : nullptr);
  ERR_clear_error();
  if (!key) {
    return Error{Errc::invalid, "not a private key in PKCS#8 form"};
  }
  return key;
}

}  // namespace sallyport
