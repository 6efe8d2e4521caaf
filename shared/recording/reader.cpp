// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/reader.h"

#include "shared/asciicast/reader.h"
#include "shared/base/hex.h"
#include "shared/recording/envelope.h"
#include "shared/recording/facts.h"

#include <openssl/crypto.h>

namespace sallyport {

namespace {

using namespace brec;

Error in_frame(const SealedFrame& frame, const Error& error) {
  return Error{error.code, frame.name() + ": " + error.message};
}

}  // namespace

RecordingReader::RecordingReader(RecordingWalker walker, const SecretBytes& key)
    : walker_(std::move(walker)), cipher_(AeadCipher::aes_256_gcm, key.span()) {}

Result<RecordingReader> RecordingReader::open(UniqueFd fd,
                                              std::span<const AgeIdentity> identities) {
  return open(std::make_unique<FdSource>(std::move(fd)), identities);
}

Result<RecordingReader> RecordingReader::open(std::unique_ptr<ByteSource> source,
                                              std::span<const AgeIdentity> identities) {
  auto walker = RecordingWalker::open(std::move(source));
  if (!walker) {
    return std::move(walker).error();
  }
  const auto dek = open_envelope(walker->header(), identities);
  if (!dek) {
    return dek.error();
  }
  const SecretBytes key = payload_key(*dek, walker->header().session);
  return RecordingReader(std::move(*walker), key);
}

Result<std::optional<RecordingFrame>> RecordingReader::next() {
  if (failed_) {
    return *failed_;
  }
  auto frame = read_frame();
  if (!frame) {
    failed_ = frame.error();
  }
  return frame;
}

Result<std::optional<RecordingFrame>> RecordingReader::read_frame() {
  const Place before = place();
  const auto sealed = walker_.next();
  if (!sealed) {
    return sealed.error();
  }
  if (!*sealed) {
    return std::optional<RecordingFrame>();
  }
  if (!decrypt(**sealed)) {
    return closed_frame(**sealed, before);
  }
  auto frame = open_frame(**sealed);
  if (!frame) {
    return std::move(frame).error();
  }
  note_segment(**sealed, before.raw_bytes);
  if (Status checked = check(*frame, before); !checked) {
    return std::move(checked).error();
  }
  return std::optional(std::move(*frame));
}

bool RecordingReader::decrypt(const SealedFrame& frame) {
  plaintext_.resize(frame.body.size() - kAeadTagBytes);
  return cipher_.open(frame_nonce(frame.number), frame.header_bytes, frame.body, plaintext_);
}

// The tag does not fit. Where the file is zero from inside this frame to its end, a power loss took
// the last blocks: that is a cut, and proves as little as one.
Result<std::optional<RecordingFrame>> RecordingReader::closed_frame(const SealedFrame& frame,
                                                                    const Place& before) {
  const auto lost = walker_.is_zero_from(walker_.offset() - 1);
  if (!lost) {
    return lost.error();
  }
  if (!*lost) {
    return Error{Errc::corrupt,
                 frame.name() + ": the recording was changed here (the tag does not fit)"};
  }
  walker_.return_to(before.walk);
  return std::optional<RecordingFrame>();
}

Result<RecordingFrame> RecordingReader::open_frame(const SealedFrame& frame) {
  RecordingFrame out;
  out.type = frame.header.type;
  out.number = frame.number;
  out.t_us = frame.header.t_us;
  if (Status opened = open_content(frame, out); !opened) {
    return in_frame(frame, opened.error());
  }
  return out;
}

Status RecordingReader::open_content(const SealedFrame& frame, RecordingFrame& out) {
  switch (frame.header.type) {
    case FrameType::data: {
      out.starts_segment = (frame.header.flags & kFlagSegment) != 0;
      Status inflated = text_.stream(plaintext_, out.starts_segment, out.data);
      raw_bytes_ += out.data.size();
      return inflated;
    }
    case FrameType::bytes:
      return open_bytes(out);
    case FrameType::screen:
    case FrameType::text:
    case FrameType::end:
      return once_.once(plaintext_, out.data);
  }
  return Error{Errc::internal, "a frame type without a reader"};
}

Status RecordingReader::open_bytes(RecordingFrame& out) {
  if (plaintext_.size() < 2 || plaintext_[0] > 2 || plaintext_[1] > 1) {
    return Error{Errc::corrupt, "no direction and coding"};
  }
  out.direction = static_cast<ByteDirection>(plaintext_[0]);
  const auto bytes = std::span<const uint8_t>(plaintext_).subspan(2);
  if (plaintext_[1] == 1) {
    return once_.once(bytes, out.data);
  }
  out.data = as_text(bytes);
  return ok();
}

// The places that the end record must list. A frame that is read again has its place already.
void RecordingReader::note_segment(const SealedFrame& frame, uint64_t raw_offset) {
  if (frame.number < noted_frames_) {
    return;
  }
  noted_frames_ = frame.number + 1;
  const bool is_screen = frame.header.type == FrameType::screen;
  const bool is_start = frame.header.type == FrameType::data && frame.header.flags == kFlagSegment;
  if (is_screen || (is_start && !after_screen_)) {
    segments_.add(Segment{frame.header.t_us, frame.offset, raw_offset, frame.number});
  }
  if (is_screen || frame.header.type == FrameType::data) {
    after_screen_ = is_screen;
  }
}

Status RecordingReader::check(const RecordingFrame& frame, const Place& before) {
  if (frame.number == 0 && frame.type == FrameType::data) {
    return check_header(frame);
  }
  return frame.type == FrameType::end ? check_end(frame, before) : ok();
}

// A text that is no asciicast proves nothing here; who plays it will hear what is wrong with it.
Status RecordingReader::check_header(const RecordingFrame& first) {
  AsciicastReader text;
  std::vector<AsciicastEvent> events;
  const Status read =
      text.feed(std::string_view(first.data).substr(0, first.data.find('\n') + 1), events);
  if (!read || !text.header()) {
    return ok();
  }
  const auto proven = proves_header(*text.header(), header());
  header_proven_ = proven && *proven;
  return proven ? ok() : Status(proven.error());
}

// The end frame knows the chain before it, and so the header (which no tag covers) and that no
// frame is missing.
Status RecordingReader::check_end(const RecordingFrame& end, const Place& before) {
  const auto record = decode_end_record(end.data);
  if (!record) {
    return record.error();
  }
  if (record->frames != end.number || record->raw_bytes != raw_bytes_ ||
      record->chain != to_hex(before.walk.head.value())) {
    return Error{Errc::corrupt,
                 "the recording's header or a frame was changed (the end frame disagrees)"};
  }
  if (record->segments.all() != segments_.all()) {
    return Error{Errc::corrupt,
                 "the recording was changed: its end frame lists segments that are not there"};
  }
  return ok();
}

Result<std::optional<EndRecord>> RecordingReader::end_record() {
  const auto trailer = walker_.trailer();
  if (!trailer || !*trailer) {
    return trailer ? Result(std::optional<EndRecord>()) : trailer.error();
  }
  const RecordingWalker::Place place = walker_.place();
  walker_.jump((*trailer)->end_offset, (*trailer)->end_number);
  const auto sealed = walker_.next();
  walker_.return_to(place);
  if (!sealed) {
    return sealed.error();
  }
  if (!*sealed || (*sealed)->header.type != FrameType::end) {
    return Error{Errc::corrupt, "the trailer does not point at the end frame: it was changed"};
  }
  if (!decrypt(**sealed)) {
    return Error{Errc::corrupt, (*sealed)->name() + ": the recording was changed here"};
  }
  const auto frame = open_frame(**sealed);
  if (!frame) {
    return frame.error();
  }
  auto record = decode_end_record(frame->data);
  return record ? Result(std::optional(std::move(*record))) : std::move(record).error();
}

void RecordingReader::return_to(const Place& place) {
  walker_.return_to(place.walk);
  raw_bytes_ = place.raw_bytes;
  text_.forget();
  failed_.reset();
}

}  // namespace sallyport
