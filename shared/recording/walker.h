// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/crypto/sha256.h"
#include "shared/recording/frame.h"
#include "shared/recording/header.h"
#include "shared/recording/source.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// A frame as it lies in the file, still sealed.
struct SealedFrame {
  FrameHeader header;
  FrameHeaderBytes header_bytes;
  uint64_t number;
  uint64_t offset;
  std::span<const uint8_t> body;  // good until the next call

  std::string name() const;  // "frame 12 (D at byte 34567)", for errors
};

struct Trailer {
  uint64_t end_number;
  uint64_t end_offset;
};

// Walks the frames of a recording and computes its chain; needs no key. The end of the bytes is not
// an error: a recorder that was killed leaves part of a frame, a power loss zeros from somewhere in
// a frame to the end, and a recording that still runs will have more. What cannot come from either
// is Errc::corrupt, with the number and the place of the frame.
class RecordingWalker {
public:
  static Result<RecordingWalker> open(std::unique_ptr<ByteSource> source);

  const RecordingHeader& header() const { return header_; }

  // None: no whole frame here, for now; call again when the file may have grown.
  Result<std::optional<SealedFrame>> next();

  // The header of the frame here, and past it without looking at its body; leaves the chain.
  Result<std::optional<SealedFrame>> skip();

  // On to a frame whose place is known; leaves the chain.
  void jump(uint64_t offset, uint64_t number);

  // Where reading stands, chain and all; to look at something else and come back.
  struct Place {
    uint64_t offset = 0;
    uint64_t number = 0;
    bool ended = false;
    std::optional<Sha256Digest> head;  // none once a jump has left frames out
  };
  const Place& place() const { return place_; }
  void return_to(const Place& place) { place_ = place; }

  bool ended() const { return place_.ended; }  // E has been read, and nothing but a trailer follows
  uint64_t frames() const { return place_.number; }
  uint64_t offset() const { return place_.offset; }

  // After the frames read so far; none once a jump has left frames out.
  const std::optional<Sha256Digest>& chain_head() const { return place_.head; }

  // The last bytes of the file, where they are a trailer.
  Result<std::optional<Trailer>> trailer();

  // Nothing but zeros from `offset` to the end of the file.
  Result<bool> is_zero_from(uint64_t offset);

private:
  RecordingWalker(std::unique_ptr<ByteSource> source, RecordingHeader header);

  Result<std::optional<SealedFrame>> read_header();
  Status check_torn();
  Status check_trailer(uint64_t end_offset);
  Result<bool> is_lost(std::span<const uint8_t> tag);
  Error corrupt(const std::string& what) const;

  std::unique_ptr<ByteSource> source_;
  RecordingHeader header_;
  Sha256 hash_;
  Place place_;
  std::vector<uint8_t> body_;
};

}  // namespace sallyport
