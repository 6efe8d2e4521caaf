// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index_row.h"

namespace sallyport::stored {

RecordingEntry index_row(const RecordingFacts& facts, uint64_t bytes) {
  RecordingEntry row;
  row.recording = facts.recording;
  row.person = facts.person;
  row.agent = facts.agent;
  row.issuer = facts.issuer;
  row.subject = facts.subject;
  row.target = facts.target;
  row.login = facts.login;
  row.address = facts.address;
  row.fingerprint = facts.fingerprint;
  row.roles = facts.roles;
  row.kind = facts.kind;
  row.start_ms = facts.start_ms;
  row.bytes = bytes;
  return row;
}

}  // namespace sallyport::stored
