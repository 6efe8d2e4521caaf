// SPDX-License-Identifier: Apache-2.0
//
// Whose key is this? One row per SSH key that was bound to a person. A row is found by an HMAC of
// the key's fingerprint and everything else in it is sealed, so that the file alone says neither
// who uses this bastion nor with which keys.
#pragma once

#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"
#include "shared/sqlite/database.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct RememberedKey {
  std::string fingerprint;
  // Whom an administrator registered the key for: a name, or "subject:...". "" where a login bound
  // it.
  std::string registered_for;
  // From the last login; all empty while a registered key has never logged in.
  std::string issuer;
  std::string subject;
  std::string person;
  std::vector<std::string> groups;
  std::string claims;     // compact JSON
  std::string address;    // where from; kept to be shown, never asked about
  uint64_t since_ms = 0;  // Unix
  uint64_t until_ms = 0;
  std::string mapping;  // claim_mapping() then; "": of a version that did not keep it

  bool has_logged_in() const { return !subject.empty(); }
  bool operator==(const RememberedKey&) const = default;
  void fields(auto& io) {
    fields_of_version_1(io);
    io(mapping);
  }
  void fields_of_version_1(auto& io) {
    io(fingerprint, registered_for, issuer, subject, person, groups, claims, address, since_ms,
       until_ms);
  }
};

struct KeyList {
  std::vector<RememberedKey> keys;  // newest login first
  size_t unreadable = 0;            // rows that do not open; each is logged
};

// SQLite in WAL mode; every change is on the disk when its call returns. One thread.
class RememberedKeys {
public:
  // seal_key: 32 bytes. Makes the file (0600) where there is none and brings an older one up to
  // date; Errc::invalid where the file is from a newer version, Errc::corrupt of another seal key.
  static Result<RememberedKeys> open(const std::string& path, const SecretBytes& seal_key);

  // Errc::corrupt where the row does not open: it is somebody's, so the caller lets nobody in.
  Result<std::optional<RememberedKey>> find(const std::string& fingerprint);
  Status put(RememberedKey key);  // in place of what was there
  // What the identity provider says of this person now, for all the other keys of the same person.
  // How long each is remembered stays.
  Status renew(const RememberedKey& newest);
  // False: there was none. A key whose row cannot be deleted (a full disk) is revoked all the same:
  // find() and put() try once more to delete it, and are Errc::denied until that succeeds.
  Result<bool> remove(const std::string& fingerprint);
  Result<KeyList> list() const;

private:
  struct Keys {
    SecretBytes lookup;
    SecretBytes seal;
  };
  RememberedKeys(SqliteDatabase database, Keys keys)
      : database_(std::move(database)), keys_(std::move(keys)) {}

  Status check_seal_key();
  Status finish_revoking(const std::string& fingerprint);
  Result<RememberedKey> unseal(std::string_view row_name, std::string_view sealed) const;

  SqliteDatabase database_;
  Keys keys_;
  std::set<std::string> revoked_;  // whose rows are still there
};

}  // namespace sallyport
