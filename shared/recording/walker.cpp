// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/walker.h"

#include "shared/base/hex.h"
#include "shared/recording/frame_sealer.h"

#include <algorithm>

namespace sallyport {

namespace {

using namespace brec;

std::optional<Trailer> decode_trailer(std::span<const uint8_t> bytes) {
  if (bytes.size() != kTrailerBytes || as_text(bytes.subspan(16)) != kTrailerMagic) {
    return std::nullopt;
  }
  return Trailer{get_le(bytes, 8), get_le(bytes.subspan(8), 8)};
}

std::vector<uint8_t> encode_trailer(const Trailer& trailer) {
  std::vector<uint8_t> bytes(16);
  put_le(bytes, trailer.end_number, 8);
  put_le(std::span(bytes).subspan(8), trailer.end_offset, 8);
  bytes.insert(bytes.end(), kTrailerMagic.begin(), kTrailerMagic.end());
  return bytes;
}

bool all_zero(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

}  // namespace

std::string SealedFrame::name() const {
  return "frame " + std::to_string(number) + " (" + static_cast<char>(header.type) + " at byte " +
         std::to_string(offset) + ")";
}

RecordingWalker::RecordingWalker(std::unique_ptr<ByteSource> source, RecordingHeader header)
    : source_(std::move(source)),
      header_(std::move(header)),
      place_{header_.size, 0, false, header_.first_head} {}

Result<RecordingWalker> RecordingWalker::open(std::unique_ptr<ByteSource> source) {
  std::vector<uint8_t> bytes(kMaxHeaderBytes);
  const auto got = source->read_at(0, bytes);
  if (!got) {
    return got.error();
  }
  auto header = decode_header(std::span(bytes).first(*got));
  if (!header) {
    return std::move(header).error();
  }
  return RecordingWalker(std::move(source), std::move(*header));
}

Error RecordingWalker::corrupt(const std::string& what) const {
  return Error{Errc::corrupt, "frame " + std::to_string(place_.number) + " at byte " +
                                  std::to_string(place_.offset) + ": " + what};
}

Result<std::optional<SealedFrame>> RecordingWalker::read_header() {
  if (place_.ended) {
    return std::optional<SealedFrame>();
  }
  SealedFrame frame{};
  const auto got = source_->read_at(place_.offset, frame.header_bytes);
  if (!got) {
    return got.error();
  }
  if (*got < frame.header_bytes.size()) {
    Status torn = check_torn();
    return torn ? Result(std::optional<SealedFrame>()) : std::move(torn).error();
  }
  const auto header = decode_frame_header(frame.header_bytes);
  if (!header) {
    const auto zero = is_zero_from(place_.offset + kFrameHeaderBytes - 1);
    if (zero && *zero) {
      return std::optional<SealedFrame>();
    }
    return zero ? corrupt("the recording was changed here (not a frame's header)") : zero.error();
  }
  frame.header = *header;
  frame.number = place_.number;
  frame.offset = place_.offset;
  return std::optional(frame);
}

Result<std::optional<SealedFrame>> RecordingWalker::next() {
  auto frame = read_header();
  if (!frame || !*frame) {
    return frame;
  }
  SealedFrame& found = **frame;
  body_.resize(found.header.length);
  const auto got = source_->read_at(place_.offset + kFrameHeaderBytes, body_);
  if (!got) {
    return got.error();
  }
  if (*got < body_.size()) {
    Status torn = check_torn();
    return torn ? Result(std::optional<SealedFrame>()) : std::move(torn).error();
  }
  const auto lost = is_lost(std::span(body_).last(kAeadTagBytes));
  if (!lost || *lost) {
    return lost ? Result(std::optional<SealedFrame>()) : lost.error();
  }
  found.body = body_;
  if (place_.head) {
    place_.head = next_head(hash_, *place_.head, found.header_bytes, body_);
  }
  place_.offset += kFrameHeaderBytes + body_.size();
  ++place_.number;
  if (found.header.type == FrameType::end) {
    if (Status checked = check_trailer(found.offset); !checked) {
      return std::move(checked).error();
    }
    place_.ended = true;
  }
  return frame;
}

Result<std::optional<SealedFrame>> RecordingWalker::skip() {
  auto frame = read_header();
  const auto size = source_->size();
  if (!size) {
    return size.error();
  }
  if (!frame || !*frame) {
    return frame;
  }
  const uint64_t end = place_.offset + kFrameHeaderBytes + (*frame)->header.length;
  if (end > *size) {
    return std::optional<SealedFrame>();
  }
  jump(end, place_.number + 1);
  place_.ended = (*frame)->header.type == FrameType::end;
  return frame;
}

void RecordingWalker::jump(uint64_t offset, uint64_t number) {
  place_ = Place{offset, number, false, std::nullopt};
}

// Bytes end inside a frame. That is a crash, unless the file was completed: then the length that
// leads past its end is not the one that was written.
Status RecordingWalker::check_torn() {
  const auto found = trailer();
  if (!found) {
    return found.error();
  }
  if (*found) {
    return corrupt("the recording was changed here (it was completed, and this runs past its end)");
  }
  return ok();
}

Result<std::optional<Trailer>> RecordingWalker::trailer() {
  const auto size = source_->size();
  if (!size) {
    return size.error();
  }
  std::array<uint8_t, kTrailerBytes> bytes{};
  if (*size < header_.size + bytes.size()) {
    return std::optional<Trailer>();
  }
  const auto got = source_->read_at(*size - bytes.size(), bytes);
  if (!got) {
    return got.error();
  }
  return decode_trailer(std::span(bytes).first(*got));
}

// A power loss took the blocks from somewhere in this frame on. No tag is all zero; where one is
// zero in part only who has the key can tell.
Result<bool> RecordingWalker::is_lost(std::span<const uint8_t> tag) {
  if (!all_zero(tag)) {
    return false;
  }
  return is_zero_from(place_.offset + kFrameHeaderBytes + body_.size());
}

// After E: nothing yet, a part of the trailer and perhaps zeros for the rest, or all of it; and
// then nothing.
Status RecordingWalker::check_trailer(uint64_t end_offset) {
  std::array<uint8_t, kTrailerBytes + 1> bytes{};
  const auto got = source_->read_at(place_.offset, bytes);
  if (!got) {
    return got.error();
  }
  const auto want = encode_trailer(Trailer{place_.number - 1, end_offset});
  const auto there = std::span<const uint8_t>(bytes).first(*got);
  const auto same_until = std::mismatch(there.begin(), there.end(), want.begin(), want.end()).first;
  if (there.size() > want.size() || !all_zero({same_until, there.end()})) {
    return corrupt("the recording was changed here (only its trailer may follow the end frame)");
  }
  return ok();
}

Result<bool> RecordingWalker::is_zero_from(uint64_t offset) {
  std::vector<uint8_t> piece(64 * 1024);
  for (;;) {
    offset = source_->after_hole(offset);  // somebody may have made it terabytes long
    const auto got = source_->read_at(offset, piece);
    if (!got) {
      return got.error();
    }
    if (!all_zero(std::span(piece).first(*got))) {
      return false;
    }
    if (*got < piece.size()) {
      return true;
    }
    offset += *got;
  }
}

}  // namespace sallyport
