// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/reader.h"

#include "shared/base/hex.h"

#include <openssl/crypto.h>

namespace sallyport {

namespace {

using namespace brec;

Error in_frame(const SealedFrame& frame, const Error& error) {
  return Error{error.code, frame.name() + ": " + error.message};
}

}  // namespace

RecordingReader::RecordingReader(RecordingWalker walker, const SecretBytes& key)
    : walker_(std::move(walker)),
      cipher_(AeadCipher::aes_256_gcm, key.span()),
      scanned_offset_(walker_.header().size) {}

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
  const auto head_before = walker_.chain_head();
  const auto sealed = walker_.next();
  if (!sealed) {
    failed_ = sealed.error();
    return *failed_;
  }
  if (!*sealed) {
    return std::optional<RecordingFrame>();
  }
  auto frame = open_frame(**sealed);
  Status checked = frame && frame->type == FrameType::end ? check_end(*frame, head_before) : ok();
  if (!frame || !checked) {
    failed_ = frame ? checked.error() : frame.error();
    return *failed_;
  }
  return std::optional(std::move(*frame));
}

Result<RecordingFrame> RecordingReader::open_frame(const SealedFrame& frame) {
  plaintext_.resize(frame.body.size() - kAeadTagBytes);
  if (!cipher_.open(frame_nonce(frame.number), frame.header_bytes, frame.body, plaintext_)) {
    return Error{Errc::corrupt,
                 frame.name() + ": the recording was changed here (the tag does not fit)"};
  }
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

// The end frame knows the chain before it, and so the header (which no tag covers) and that no
// frame is missing. After a jump there is no chain to compare.
Status RecordingReader::check_end(const RecordingFrame& end,
                                  const std::optional<Sha256Digest>& head_before) {
  const auto record = decode_end_record(end.data);
  if (!record) {
    return record.error();
  }
  if (head_before && (record->frames != end.number || record->raw_bytes != raw_bytes_ ||
                      record->chain != to_hex(*head_before))) {
    return Error{Errc::corrupt,
                 "the recording's header or a frame was changed (the end frame disagrees)"};
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
  const auto frame = open_frame(**sealed);
  if (!frame) {
    return frame.error();
  }
  auto record = decode_end_record(frame->data);
  return record ? Result(std::optional(std::move(*record))) : std::move(record).error();
}

Status RecordingReader::seek(uint64_t t_us) {
  if (Status loaded = load_segments(); !loaded) {
    return loaded;
  }
  const Segment* segment = segments_.find(t_us);
  walker_.jump(segment != nullptr ? segment->offset : walker_.header().size,
               segment != nullptr ? segment->number : 0);
  text_.forget();
  failed_.reset();
  return ok();
}

Status RecordingReader::load_segments() {
  if (segments_complete_) {
    return ok();
  }
  auto record = end_record();
  if (record && *record) {
    segments_ = std::move((*record)->segments);
    segments_complete_ = true;
    return ok();
  }
  return scan_segments();
}

// No end frame, or a broken one: the headers say where segments begin. They are not checked here;
// a header that lies makes the tag of its frame wrong when it is read.
Status RecordingReader::scan_segments() {
  walker_.jump(scanned_offset_, scanned_number_);
  std::optional<Segment> screen;
  for (;;) {
    const auto frame = walker_.skip();
    if (!frame || !*frame) {
      break;  // next() will name the error when reading gets there
    }
    const SealedFrame& at = **frame;
    const Segment here{at.header.t_us, at.offset, 0, at.number};
    if (at.header.type == FrameType::screen) {
      screen = here;
    } else if (at.header.type == FrameType::data && at.header.flags == kFlagSegment) {
      segments_.add(screen ? *screen : here);
      screen.reset();
    }
    if (!screen) {
      scanned_offset_ = walker_.offset();
      scanned_number_ = walker_.frames();
    }
  }
  return ok();
}

}  // namespace sallyport
