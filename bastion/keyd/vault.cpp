// SPDX-License-Identifier: Apache-2.0
#include "bastion/keyd/vault.h"

#include "bastion/keyd/vault_files.h"
#include "shared/base/handle.h"
#include "shared/base/hex.h"
#include "shared/base/id.h"
#include "shared/base/names.h"
#include "shared/base/unix_ms.h"
#include "shared/crypto/sealed.h"
#include "shared/crypto/sha256.h"
#include "shared/ssh/wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace sallyport {

namespace {

constexpr std::string_view kSuffix = ".key";

// R4, R14: a name from outside enters no path; 128 bits of its hash do.
std::string file_of(std::string_view name) {
  const auto digest = sha256(as_bytes("sallyport vault/1 name " + std::string(name)));
  return to_hex(std::span(digest).first(16)) + std::string(kSuffix);
}

std::string public_context(std::string_view file) {
  return "vault/1 public " + std::string(file);
}

// Binds the private part to the very bytes of its public part, and so to the name in them.
std::string private_context(std::string_view name, std::span<const uint8_t> public_record) {
  return "vault/1 private " + std::string(name) + " " + to_hex(sha256(public_record));
}

Error damaged(const std::string& what) {
  return Error{Errc::corrupt,
               what +
                   ": damaged, or sealed with another vault key; restore it from a backup, or "
                   "remove the file and add the key again"};
}

Error no_such_key(const std::string& name) {
  return Error{Errc::not_found, "the vault has no key " + name + "; see `sallyportctl vault list`"};
}

bool is_vault_file(std::string_view file) {
  return file.size() == 32 + kSuffix.size() && file.ends_with(kSuffix) &&
         Id::from_hex(file.substr(0, 32)).has_value();
}

}  // namespace

struct Vault::Parts {
  SecretBytes public_record;
  std::vector<uint8_t> sealed_private;
};

Result<Vault> Vault::open(const std::string& folder, SecretBytes vault_key) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error("making the vault's folder " + folder);
  }
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    return errno_error("opening the vault's folder " + folder);
  }
  Vault vault(std::move(fd), folder, std::move(vault_key));
  const auto listing = vault.list();
  if (!listing) {
    return listing.error();
  }
  if (listing->keys.empty() && !listing->unreadable.empty()) {
    return Error{Errc::corrupt, folder + ": none of the " +
                                    std::to_string(listing->unreadable.size()) +
                                    " keys here can be opened; " + listing->unreadable.front()};
  }
  return vault;
}

Result<VaultKey> Vault::add(const std::string& name, const EVP_PKEY& key) {
  if (!is_valid_name(name)) {
    return Error{Errc::invalid, "a key's name is 1 to 64 letters, digits, '.', '_' or '-'"};
  }
  auto public_key = ssh_public_key(key);
  const auto pkcs8 = to_pkcs8(key);
  if (!public_key || !pkcs8) {
    return !public_key ? public_key.error() : pkcs8.error();
  }
  const std::string file = file_of(name);
  const VaultKey added{name, std::move(*public_key), unix_ms()};
  const auto record =
      SshWriter().string(name).u64(added.added_ms).string(added.public_key.blob).take();
  const auto bytes =
      SshWriter()
          .string(seal_bytes(key_.span(), public_context(file), record))
          .string(seal_bytes(key_.span(), private_context(name, record), pkcs8->span()))
          .take();
  if (const auto written = write_new_file(folder_.get(), file, bytes); !written) {
    return written.error().code == Errc::denied
               ? Error{Errc::denied, "the vault has a key " + name +
                                         " already; remove it first, or choose another name"}
               : written.error();
  }
  return added;
}

Status Vault::remove(const std::string& name) {
  if (!is_valid_name(name)) {
    return no_such_key("of that name");
  }
  if (::unlinkat(folder_.get(), file_of(name).c_str(), 0) != 0) {
    return errno == ENOENT ? no_such_key(name) : errno_error("removing key " + name);
  }
  return sync_folder(folder_.get());
}

Result<Vault::Parts> Vault::read_parts(const std::string& file) const {
  const auto bytes = read_small_file(folder_.get(), file);
  if (!bytes) {
    return bytes.error();
  }
  SshReader reader(*bytes);
  const auto sealed_public = reader.string();
  const auto sealed_private = reader.string();
  auto record = open_sealed(key_.span(), public_context(file), sealed_public);
  if (!reader.complete() || !record) {
    return damaged(path_ + "/" + file);
  }
  return Parts{std::move(*record), {sealed_private.begin(), sealed_private.end()}};
}

Result<VaultKey> Vault::open_public(const std::string& file, const Parts& parts) const {
  SshReader reader(parts.public_record.span());
  const std::string name(reader.text());
  const uint64_t added_ms = reader.u64();
  const auto blob = reader.string();
  if (!reader.complete() || !is_valid_name(name) || file_of(name) != file) {
    return damaged(path_ + "/" + file);
  }
  const std::string algorithm(SshReader(blob).text());
  return VaultKey{name, PublicKey{algorithm, {blob.begin(), blob.end()}}, added_ms};
}

Result<Vault::Listing> Vault::list() const {
  const Handle<DIR, ::closedir> folder(::opendir(path_.c_str()));
  if (!folder) {
    return errno_error("reading the vault's folder " + path_);
  }
  Listing listing;
  errno = 0;  // readdir() says by it alone whether there was an error
  for (const dirent* entry = nullptr; (entry = ::readdir(folder.get())) != nullptr; errno = 0) {
    const std::string file = entry->d_name;
    if (!is_vault_file(file)) {
      continue;
    }
    const auto parts = read_parts(file);
    auto key = parts ? open_public(file, *parts) : Result<VaultKey>(parts.error());
    if (key) {
      listing.keys.push_back(std::move(*key));
    } else {
      listing.unreadable.push_back(key.error().message);
    }
  }
  if (errno != 0) {
    return errno_error("reading the vault's folder " + path_);
  }
  std::sort(listing.keys.begin(), listing.keys.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  std::sort(listing.unreadable.begin(), listing.unreadable.end());
  return listing;
}

Result<VaultKey> Vault::find(const std::string& name) const {
  if (!is_valid_name(name)) {
    return no_such_key("of that name");
  }
  const std::string file = file_of(name);
  const auto parts = read_parts(file);
  if (!parts) {
    return parts.error().code == Errc::not_found ? no_such_key(name) : parts.error();
  }
  return open_public(file, *parts);
}

Result<EvpKey> Vault::private_key(const std::string& name) const {
  const std::string file = file_of(name);
  const auto parts = read_parts(file);
  if (!parts) {
    return parts.error().code == Errc::not_found ? no_such_key(name) : parts.error();
  }
  const auto pkcs8 = open_sealed(key_.span(), private_context(name, parts->public_record.span()),
                                 parts->sealed_private);
  if (!pkcs8) {
    return damaged(path_ + "/" + file);
  }
  return from_pkcs8(pkcs8->span());
}

}  // namespace sallyport
