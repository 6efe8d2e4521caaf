// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/id.h"
#include "shared/base/result.h"
#include "shared/base/secret_bytes.h"
#include "shared/crypto/sha256.h"
#include "shared/recording/file_name.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// What the first 512·k bytes of a recording say to anyone, without a key.
struct RecordingHeader {
  Id session;
  uint32_t channel = 0;
  RecordingPart part = RecordingPart::channel;
  std::string node;               // 1 to 32 characters of a name (names.h)
  uint64_t start_ms = 0;          // Unix
  Sha256Digest commit{};          // HKDF-SHA256(DEK, salt = session, "brec/1 commit")
  std::vector<uint8_t> envelope;  // an age file of the DEK; empty when it was erased
  size_t size = 0;                // where the first frame is
  Sha256Digest first_head{};      // H0 of the chain

  RecordingName name() const { return {session, channel, part}; }
};

// Errc::invalid: a node name that does not fit; Errc::limit: an envelope above 64 KiB.
Result<std::vector<uint8_t>> encode_header(const RecordingHeader& header);

// How many bytes decode_header() needs, from the first 16.
Result<size_t> header_size(std::span<const uint8_t> first16);
Result<RecordingHeader> decode_header(std::span<const uint8_t> bytes);

// The data key's two derivations (RFC 5869).
Sha256Digest commit_of(const SecretBytes& dek, const Id& session);
SecretBytes payload_key(const SecretBytes& dek, const Id& session);

}  // namespace sallyport
