// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/asked_recording.h"

#include "shared/base/hex.h"

#include <algorithm>

namespace sallyport::stored {

RecordingFacts facts_of(const LogEntry& start, const OpenRecording& asked,
                        const GrantFacts& grant) {
  RecordingFacts facts;
  facts.recording = recording_id(start.recording);
  facts.person = grant.person;
  facts.issuer = grant.issuer;
  facts.subject = grant.subject;
  facts.target = grant.target;
  facts.login = grant.login;
  facts.address = grant.address;
  facts.fingerprint = grant.fingerprint;
  for (const std::string& role : grant.roles) {
    facts.roles += (facts.roles.empty() ? "" : ",") + role;
  }
  facts.kind = name_of(asked.kind);
  facts.start_ms = start.time_ms;
  return facts;
}

RecordingName recording_of(const OpenRecording& asked) {
  return {asked.session, asked.channel, asked.part};
}

Result<Sha256Digest> digest_of(const std::string& bytes) {
  Sha256Digest digest{};
  if (bytes.size() != digest.size()) {
    return Error{Errc::protocol, "a chain head that is none"};
  }
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

Result<RecordingHeader> check_header(const OpenRecording& asked) {
  auto header = decode_header(as_bytes(asked.header));
  if (!header || header->size != asked.header.size() || header->session != asked.session ||
      header->channel != asked.channel || header->part != asked.part || header->envelope.empty()) {
    return Error{Errc::protocol, "a recording's header that is none, or another recording's"};
  }
  return header;
}

}  // namespace sallyport::stored
