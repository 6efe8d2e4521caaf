// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/crypto/age_keys.h"
#include "shared/recording/header.h"
#include "shared/recording/source.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace sallyport {

// What a whole reading of a recording found. Compare `frames` and `head` with the node log.
struct RecordingReport {
  RecordingHeader header;
  uint64_t frames = 0;
  uint64_t bytes = 0;   // header and whole frames
  uint64_t end_us = 0;  // of the last frame
  Sha256Digest head{};
  bool ended = false;  // finished; otherwise cut off, or still running
  bool header_proven = false;
  bool opened = false;  // every tag was checked, not only the chain's shape
};

// Told of the chain's head before the first frame and after each, with the frames so far; so also
// up to a frame that is wrong.
using HeadWatcher = std::function<void(uint64_t frames, const Sha256Digest& head)>;

// With identities every tag and the end frame are checked; without, only the frames are walked and
// the chain computed; so also where the recording was erased, which its header shows
// (is_erased()). Errc::corrupt names the first frame that is wrong.
Result<RecordingReport> verify_recording(std::unique_ptr<ByteSource> source,
                                         std::span<const AgeIdentity> identities,
                                         const HeadWatcher& watch = {});

}  // namespace sallyport
