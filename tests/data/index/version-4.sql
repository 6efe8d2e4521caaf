-- index.db as version 4 wrote it. A released version's file is never edited.
BEGIN TRANSACTION;
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
, chain_head BLOB NOT NULL DEFAULT x'', hold INTEGER NOT NULL DEFAULT 0, roles TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "recordings" VALUES('00112233445566778899aabbccddeeff-0',2,'ada@example.com','','https://idp.example','s-1','web1','root','192.0.2.1:50022','SHA256:abc','shell',1800000000000,1800000060000,4096,17,'closed',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',1,'operators');
INSERT INTO "recordings" VALUES('ffeeddccbbaa99887766554433221100-3',3,'bob@example.com','','https://idp.example','s-2','db1','postgres','[2001:db8::7]:50023','','exec',1800000000001,0,0,0,'',X'',0,'');
CREATE UNIQUE INDEX by_recording ON recordings (recording);
CREATE INDEX by_start ON recordings (start_ms, recording);
CREATE INDEX by_person ON recordings (person, start_ms, recording, login, state);
CREATE INDEX by_target ON recordings (target, start_ms, recording, login, state);
CREATE INDEX by_person_target ON recordings (person, target, start_ms, recording, login, state);
CREATE INDEX by_login ON recordings (login, start_ms, recording);
CREATE INDEX by_agent ON recordings (agent, start_ms, recording);
CREATE INDEX by_fingerprint ON recordings (fingerprint, start_ms, recording);
CREATE INDEX by_state ON recordings (state, start_ms, recording);
CREATE INDEX by_address ON recordings (address, start_ms, recording);
CREATE INDEX by_hold ON recordings (start_ms, recording) WHERE hold = 1;
COMMIT;
PRAGMA application_id=1397770584;
PRAGMA user_version=4;
