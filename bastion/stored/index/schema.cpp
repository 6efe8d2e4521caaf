// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index/schema.h"

namespace sallyport::stored {

namespace {

// The order of every answer is (start_ms, recording), newest first: total, and the same after the
// file was built anew. Every index ends in it, so that no answer has to be sorted, but for those to
// a beginning (of a recording, of an address).
constexpr const char* kMigrations[] = {
    R"(
PRAGMA application_id = 0x53504958;
CREATE TABLE recordings (
  recording TEXT NOT NULL,   -- session, 32 hex digits, and channel
  state INTEGER NOT NULL,    -- 1 running, 2 ended, 3 cut off, 4 erased, 5 set aside, 6 missing
  person TEXT NOT NULL,
  agent TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  target TEXT NOT NULL,
  login TEXT NOT NULL,
  address TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  kind TEXT NOT NULL,
  start_ms INTEGER NOT NULL, -- Unix
  end_ms INTEGER NOT NULL,   -- 0: not known
  bytes INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX by_recording ON recordings (recording);
CREATE INDEX by_start ON recordings (start_ms, recording))",

    // What is often asked together stands in the index, too: rows that lack it are passed over
    // without being read.
    R"(
CREATE INDEX by_person ON recordings (person, start_ms, recording, login, state);
CREATE INDEX by_target ON recordings (target, start_ms, recording, login, state);
CREATE INDEX by_person_target ON recordings (person, target, start_ms, recording, login, state);
CREATE INDEX by_login ON recordings (login, start_ms, recording);
CREATE INDEX by_agent ON recordings (agent, start_ms, recording);
CREATE INDEX by_fingerprint ON recordings (fingerprint, start_ms, recording);
CREATE INDEX by_state ON recordings (state, start_ms, recording);
CREATE INDEX by_address ON recordings (address, start_ms, recording))",

    R"(
ALTER TABLE recordings ADD COLUMN chain_head BLOB NOT NULL DEFAULT x'';
ALTER TABLE recordings ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX by_hold ON recordings (start_ms, recording) WHERE hold = 1)",

    R"(
ALTER TABLE recordings ADD COLUMN roles TEXT NOT NULL DEFAULT '')",
};

}  // namespace

std::span<const char* const> index_migrations() {
  return kMigrations;
}

}  // namespace sallyport::stored
