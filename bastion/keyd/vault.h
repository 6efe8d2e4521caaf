// SPDX-License-Identifier: Apache-2.0
//
// The upstream private keys at rest, one file per key (docs/vault.md has the bytes). Both parts of
// a file are sealed, the public one too: whoever can write the folder but has not the vault key can
// neither read a key nor make the vault show another public key, give a key another's name, or
// join halves of two files. Deleting a file and putting back an older one cannot be prevented here.
#pragma once

#include "bastion/keyd/public_key.h"
#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"
#include "shared/base/unique_fd.h"
#include "shared/ssh/pkcs8.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct VaultKey {
  std::string name;
  PublicKey public_key;
  uint64_t added_ms = 0;  // Unix
};

class Vault {
public:
  // Makes the folder (0700) where it is missing. Refuses a vault key that opens none of the files
  // that are there.
  static Result<Vault> open(const std::string& folder, SecretBytes vault_key);

  // What is added is on disk when this returns. A name that exists is refused, not replaced.
  Result<VaultKey> add(const std::string& name, const EVP_PKEY& key);
  Status remove(const std::string& name);

  struct Listing {
    std::vector<VaultKey> keys;           // by name
    std::vector<std::string> unreadable;  // why each other file is not among them
  };
  Result<Listing> list() const;
  Result<VaultKey> find(const std::string& name) const;  // opens the public part only
  Result<EvpKey> private_key(const std::string& name) const;

private:
  struct Parts;
  Vault(UniqueFd folder, std::string path, SecretBytes key)
      : folder_(std::move(folder)), path_(std::move(path)), key_(std::move(key)) {}
  Result<Parts> read_parts(const std::string& file) const;
  Result<VaultKey> open_public(const std::string& file, const Parts& parts) const;

  UniqueFd folder_;
  std::string path_;
  SecretBytes key_;
};

}  // namespace sallyport
