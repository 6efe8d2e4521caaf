// SPDX-License-Identifier: Apache-2.0
//
// One direction of a channel that is no text. Its bytes are recorded until the channel's allowance
// is spent; of the rest the recording has the length, the SHA-256 of the whole direction and the
// last 64 KiB (docs/formats/brec.md, event "d"). The first 64 KiB are always recorded. What looks
// like text (looks_like_text.h) is recorded whenever it comes, so that bytes first do not hide a
// shell afterwards; one that makes each of its reads look like none, say with a NUL in it, is
// hidden.
#pragma once

#include "shared/crypto/sha256.h"
#include "shared/recording/writer.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sallyport::monitor {

inline constexpr uint64_t kAlwaysKeptBytes = 64 * 1024;  // at the beginning, and at the end
inline constexpr uint64_t kKeepEverything = UINT64_MAX;  // no digest is made then

// What all directions of a channel may still record.
struct Allowance {
  uint64_t bytes = kKeepEverything;
  bool keeps_text = true;  // beyond it
};

class KeptStream {
public:
  KeptStream(ByteDirection direction, const Allowance& allowance);

  // Was recorded as text, in full.
  void note_text(std::string_view bytes);
  Status add(RecordingWriter& writer, uint64_t t_us, std::string_view bytes, Allowance& allowance);
  // The last bytes and the digest, if anything was left out.
  Status finish(RecordingWriter& writer, uint64_t t_us);

private:
  void count(std::string_view bytes);
  void hold_back(std::string_view bytes);
  Status record(RecordingWriter& writer, uint64_t t_us, std::string_view bytes);
  Status tell_gap(RecordingWriter& writer, uint64_t t_us, uint64_t next);

  ByteDirection direction_;
  std::optional<Sha256> digest_;
  uint64_t total_ = 0;
  uint64_t recorded_to_ = 0;  // the offset behind the last byte that was recorded
  std::vector<char> tail_;    // the last bytes that were not recorded
};

}  // namespace sallyport::monitor
