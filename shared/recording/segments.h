// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// A place where reading can begin: an S frame that repaints the screen, or a D frame with flag 1.
struct Segment {
  uint64_t t_us = 0;
  uint64_t offset = 0;      // in the file
  uint64_t raw_offset = 0;  // in the asciicast text
  uint64_t number = 0;      // of the frame there, for its nonce
  bool operator==(const Segment&) const = default;
};

// Grows with the recording, but never above brec::kMaxSegments: then every other one goes, so a
// jump in a very long recording reads a little further.
class SegmentList {
public:
  void add(const Segment& segment);
  const std::vector<Segment>& all() const { return segments_; }

private:
  std::vector<Segment> segments_;
};

// What an E frame says about the whole recording.
struct EndRecord {
  uint64_t frames = 0;     // before E, so also E's own number
  uint64_t raw_bytes = 0;  // of asciicast text
  uint64_t end_us = 0;
  std::string chain;  // hex of the chain's head before E
  SegmentList segments;
};

std::string encode_end_record(const EndRecord& record);
Result<EndRecord> decode_end_record(std::string_view json);

}  // namespace sallyport
