// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/crypto/age_keys.h"
#include "shared/recording/compression.h"
#include "shared/recording/segments.h"
#include "shared/recording/walker.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// One frame, opened and inflated.
struct RecordingFrame {
  FrameType type = FrameType::data;
  uint64_t number = 0;
  uint64_t t_us = 0;  // D: of the first event in it
  // D: asciicast v3 text, whole lines. S: text that repaints the screen. B: bytes as they went.
  // T: lines "t_us TAB text". E: the end record's JSON. At most brec::kMaxInflatedBytes.
  std::string data;
  bool starts_segment = false;                         // D
  ByteDirection direction = ByteDirection::to_target;  // B
};

// Reads a recording with an identity. Each frame's tag is checked before anything in it is given
// out; memory is one frame, whatever the file's size.
//
// Reading goes from the beginning on, so that the chain is always there to compare the end frame
// with; what the end frame lists as places to begin at is compared with the frames, never followed.
// A player feeds the D frames to an AsciicastReader, and its events to an ExactDecoder
// (shared/asciicast).
class RecordingReader {
public:
  // Errc::corrupt: not a recording, or changed; Errc::denied: for other recipients;
  // Errc::not_found: erased.
  static Result<RecordingReader> open(std::unique_ptr<ByteSource> source,
                                      std::span<const AgeIdentity> identities);
  static Result<RecordingReader> open(UniqueFd fd, std::span<const AgeIdentity> identities);

  const RecordingHeader& header() const { return walker_.header(); }

  // None: the last whole frame has been read. ended() then says whether the recording was finished;
  // if it was not, it was cut off, or still runs and has more later. Errc::corrupt names the frame
  // that was changed; what came before it is genuine, and reading cannot go on.
  Result<std::optional<RecordingFrame>> next();
  bool ended() const { return walker_.ended(); }

  uint64_t frames() const { return walker_.frames(); }
  uint64_t offset() const { return walker_.offset(); }
  const std::optional<Sha256Digest>& chain_head() const { return walker_.chain_head(); }

  // The header is as it was written, at least to the second: the first line of the text says so, or
  // the end frame, as far as they have been read.
  bool header_proven() const { return header_proven_ || walker_.ended(); }

  // What the end frame says, where the file has its trailer; leaves the place of reading alone.
  Result<std::optional<EndRecord>> end_record();

  // Where reading stands, and back to there: to the beginning, or to where the next frame was a D
  // with starts_segment. Chain and counts are then as they were.
  struct Place {
    RecordingWalker::Place walk;
    uint64_t raw_bytes = 0;
  };
  Place place() const { return {walker_.place(), raw_bytes_}; }
  void return_to(const Place& place);

private:
  RecordingReader(RecordingWalker walker, const SecretBytes& payload_key);

  Result<std::optional<RecordingFrame>> read_frame();
  Result<std::optional<RecordingFrame>> closed_frame(const SealedFrame& frame, const Place& before);
  bool decrypt(const SealedFrame& frame);
  Result<RecordingFrame> open_frame(const SealedFrame& frame);
  Status open_content(const SealedFrame& frame, RecordingFrame& out);
  Status open_bytes(RecordingFrame& out);
  void note_segment(const SealedFrame& frame, uint64_t raw_offset);
  Status check(const RecordingFrame& frame, const Place& before);
  Status check_header(const RecordingFrame& first);
  Status check_end(const RecordingFrame& end, const Place& before);

  RecordingWalker walker_;
  Aead cipher_;
  Inflater text_;
  Inflater once_;
  std::vector<uint8_t> plaintext_;
  uint64_t raw_bytes_ = 0;
  std::optional<Error> failed_;

  SegmentList segments_;       // as the writer lists them
  uint64_t noted_frames_ = 0;  // whose segments are in it
  bool after_screen_ = false;
  bool header_proven_ = false;
};

}  // namespace sallyport
