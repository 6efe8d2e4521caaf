// SPDX-License-Identifier: Apache-2.0
#include "bastion/authd/remembered_keys.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/crypto/hkdf.h"
#include "shared/crypto/sealed.h"
#include "shared/crypto/sha256.h"
#include "shared/ipc/codec.h"
#include "shared/sqlite/statement.h"

#include <algorithm>
#include <array>

namespace sallyport {

namespace {

// Numbered: the file's user_version says how many of them it has seen.
constexpr std::array<const char*, 2> kMigrations = {
    "CREATE TABLE remembered ("
    "  name BLOB PRIMARY KEY,"  // HMAC-SHA256 of the fingerprint
    "  sealed BLOB NOT NULL"
    ") WITHOUT ROWID;"
    "CREATE TABLE seal_check (sealed BLOB NOT NULL);",
    "",  // records of version 2, which an older version must not take for damaged ones
};
constexpr std::string_view kSealCheckContext = "remembered keys: the right seal key";
constexpr uint8_t kRecordVersion = 2;

std::string context_of(std::string_view row_name) {
  return "remembered key " + to_hex(as_bytes(row_name));
}

std::string row_name_of(const SecretBytes& lookup_key, std::string_view fingerprint) {
  const auto mac = hmac_sha256(lookup_key.span(), as_bytes(fingerprint));
  return std::string(as_text(mac));
}

}  // namespace

Result<RememberedKeys> RememberedKeys::open(const std::string& path, const SecretBytes& seal_key) {
  auto database = open_sqlite(path);
  if (!database) {
    return database.error();
  }
  // secure_delete: a revoked row is overwritten, not only unlinked.
  const Status ready = execute(database->get(),
                               "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                               "PRAGMA secure_delete=ON; PRAGMA trusted_schema=OFF;"
                               "PRAGMA temp_store=MEMORY; PRAGMA busy_timeout=2000;");
  if (!ready) {
    return ready.error();
  }
  if (const Status migrated = migrate(database->get(), kMigrations); !migrated) {
    return migrated.error();
  }
  RememberedKeys keys(std::move(*database),
                      Keys{derive_key(seal_key.span(), {}, "sallyport remembered keys: lookup/1"),
                           derive_key(seal_key.span(), {}, "sallyport remembered keys: seal/1")});
  if (const Status right = keys.check_seal_key(); !right) {
    return right.error();
  }
  return keys;
}

// With another seal key every row would be invisible, not broken: everybody would have to log in
// again and revoking would do nothing. So the file knows its key.
Status RememberedKeys::check_seal_key() {
  Statement check(database_.get(), "SELECT sealed FROM seal_check");
  const auto row = check.step();
  if (!row) {
    return row.error();
  }
  if (!*row) {
    const auto sealed = seal_bytes(keys_.seal.span(), kSealCheckContext, {});
    return Statement(database_.get(), "INSERT INTO seal_check VALUES (?)")
        .bind_blob(as_text(sealed))
        .run();
  }
  if (!open_sealed(keys_.seal.span(), kSealCheckContext, as_bytes(check.blob(0)))) {
    return Error{Errc::corrupt, std::string(sqlite3_db_filename(database_.get(), "main")) +
                                    ": sealed with another seal key; bring that key back, or "
                                    "remove the file, and everybody signs in anew"};
  }
  return ok();
}

Result<RememberedKey> RememberedKeys::unseal(std::string_view row_name,
                                             std::string_view sealed) const {
  const auto opened = open_sealed(keys_.seal.span(), context_of(row_name), as_bytes(sealed));
  if (!opened) {
    return opened.error();
  }
  uint8_t version = 0;
  RememberedKey key;
  FieldReader reader(opened->span());
  reader(version);
  if (version == 1) {
    key.fields_of_version_1(reader);
  } else {
    reader(key);
  }
  if (!reader.complete() || version == 0 || version > kRecordVersion) {
    return Error{Errc::corrupt, "a remembered key has an unknown form"};
  }
  return key;
}

Result<std::optional<RememberedKey>> RememberedKeys::find(const std::string& fingerprint) {
  if (const Status gone = finish_revoking(fingerprint); !gone) {
    return gone.error();
  }
  const std::string name = row_name_of(keys_.lookup, fingerprint);
  Statement query(database_.get(), "SELECT sealed FROM remembered WHERE name = ?");
  const auto row = query.bind_blob(name).step();
  if (!row) {
    return row.error();
  }
  if (!*row) {
    return std::optional<RememberedKey>();
  }
  auto key = unseal(name, query.blob(0));
  if (!key) {
    return key.error();
  }
  return std::optional(std::move(*key));
}

Status RememberedKeys::put(RememberedKey key) {
  if (const Status gone = finish_revoking(key.fingerprint); !gone) {
    return gone;
  }
  const std::string name = row_name_of(keys_.lookup, key.fingerprint);
  std::vector<uint8_t> record;
  uint8_t version = kRecordVersion;
  FieldWriter writer(record);
  writer(version, key);
  const auto sealed = seal_bytes(keys_.seal.span(), context_of(name), record);
  return Statement(database_.get(), "INSERT OR REPLACE INTO remembered VALUES (?, ?)")
      .bind_blob(name)
      .bind_blob(as_text(sealed))
      .run();
}

Status RememberedKeys::renew(const RememberedKey& newest) {
  const auto all = list();
  if (!all) {
    return all.error();
  }
  for (const RememberedKey& key : all->keys) {
    if (key.issuer != newest.issuer || key.subject != newest.subject ||
        key.fingerprint == newest.fingerprint || revoked_.contains(key.fingerprint)) {
      continue;
    }
    RememberedKey renewed = key;
    renewed.person = newest.person;
    renewed.groups = newest.groups;
    renewed.claims = newest.claims;
    renewed.mapping = newest.mapping;
    if (const Status stored = renewed == key ? ok() : put(std::move(renewed)); !stored) {
      return stored;
    }
  }
  return ok();
}

Result<bool> RememberedKeys::remove(const std::string& fingerprint) {
  const std::string name = row_name_of(keys_.lookup, fingerprint);
  revoked_.insert(fingerprint);
  const Status done =
      Statement(database_.get(), "DELETE FROM remembered WHERE name = ?").bind_blob(name).run();
  if (!done) {
    return done.error();
  }
  revoked_.erase(fingerprint);
  return sqlite3_changes(database_.get()) > 0;
}

Status RememberedKeys::finish_revoking(const std::string& fingerprint) {
  if (!revoked_.contains(fingerprint)) {
    return ok();
  }
  const auto removed = remove(fingerprint);
  return removed
             ? ok()
             : Status(Error{Errc::denied, "the key was revoked, and its row cannot be deleted: " +
                                              removed.error().message});
}

Result<KeyList> RememberedKeys::list() const {
  KeyList list;
  Statement query(database_.get(), "SELECT name, sealed FROM remembered");
  for (;;) {
    const auto row = query.step();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      break;
    }
    auto key = unseal(query.blob(0), query.blob(1));
    if (!key) {  // the others can still be shown; this one can still be revoked
      log_error("remembered_key_unreadable", {{"error", key.error().message}});
      ++list.unreadable;
      continue;
    }
    list.keys.push_back(std::move(*key));
  }
  std::sort(list.keys.begin(), list.keys.end(),
            [](const auto& a, const auto& b) { return a.since_ms > b.since_ms; });
  return list;
}

}  // namespace sallyport
