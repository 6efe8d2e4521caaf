// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/writer.h"

#include "shared/asciicast/writer.h"
#include "shared/base/hex.h"
#include "shared/base/utf8.h"
#include "shared/base/write_and_sync.h"
#include "shared/crypto/age.h"
#include "shared/crypto/algorithms.h"
#include "shared/crypto/random.h"
#include "shared/recording/envelope.h"
#include "shared/recording/header.h"

#include <algorithm>

namespace sallyport {

namespace {

using namespace brec;

constexpr size_t kMaxScreenBytes = 512 * 1024;
constexpr size_t kMaxTextLine = 16 * 1024;
constexpr uint32_t kMaxSkip = 256;
constexpr size_t kWriteBytes = 256 * 1024;

// At most kFrameInputBytes, and not in the middle of a character where that can be helped.
size_t piece_length(std::string_view data) {
  if (data.size() <= kFrameInputBytes) {
    return data.size();
  }
  size_t length = kFrameInputBytes;
  while (length > kFrameInputBytes - 4 && (static_cast<uint8_t>(data[length]) & 0xc0) == 0x80) {
    --length;
  }
  return length > kFrameInputBytes - 4 ? length : kFrameInputBytes;
}

Result<std::string_view> one_line(std::string_view text) {
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  if (text.empty() || text.size() > kAsciicastMaxHeader ||
      text.find('\n') != std::string_view::npos || !is_valid_utf8(text)) {
    return Error{Errc::invalid, "the asciicast header is not one line of JSON"};
  }
  return text;
}

Error cannot_write(const std::string& name) {
  return errno_error("recording " + name + " cannot be written, the session must end");
}

}  // namespace

void RecordingWriter::prepare_process() {
  prepare_crypto();
  const std::vector<AgeRecipient> recipients = {age_generate_identity().recipient()};
  static_cast<void>(age_encrypt(as_bytes("prepare"), recipients));
  std::vector<uint8_t> out;
  Compressor().once(as_bytes("prepare"), out);
}

Result<NewRecording> new_recording(const RecordingSetup& setup) {
  SecretBytes dek(kDekBytes);
  random_fill(dek.span());
  auto envelope = seal_envelope(dek, {setup.recipients, setup.second_recipients});
  if (!envelope) {
    return std::move(envelope).error();
  }
  RecordingHeader header;
  header.session = setup.session;
  header.channel = setup.channel;
  header.part = setup.part;
  header.node = setup.node;
  header.start_ms = setup.start_ms;
  header.commit = commit_of(dek, setup.session);
  header.envelope = std::move(*envelope);
  auto bytes = encode_header(header);
  if (!bytes) {
    return std::move(bytes).error();
  }
  const auto decoded = decode_header(*bytes);  // gives H0; and what we write, we can read
  if (!decoded) {
    return decoded.error();
  }
  return NewRecording{std::move(*bytes), decoded->first_head, recording_file_name(header.name()),
                      setup.start_ms, payload_key(dek, setup.session)};
}

Result<RecordingWriter> RecordingWriter::begin(UniqueFd fd, NewRecording recording,
                                               std::string_view asciicast_header) {
  const auto line = one_line(asciicast_header);
  if (!line) {
    return line.error();
  }
  RecordingWriter writer(std::move(fd), std::move(recording));
  writer.pending_text_.append(*line).push_back('\n');
  if (Status done = writer.flush(); !done) {
    return std::move(done).error();
  }
  return writer;
}

Result<RecordingWriter> RecordingWriter::create(UniqueFd fd, const RecordingSetup& setup,
                                                std::string_view asciicast_header) {
  auto recording = new_recording(setup);
  if (!recording) {
    return std::move(recording).error();
  }
  if (const auto line = one_line(asciicast_header); !line) {
    return line.error();
  }
  if (!write_all(fd.get(), recording->header)) {
    return cannot_write(recording->file_name);
  }
  return begin(std::move(fd), std::move(*recording), asciicast_header);
}

uint64_t RecordingWriter::clamp(uint64_t t_us) {
  return last_us_ = std::max(last_us_, t_us);
}

Status RecordingWriter::add_event(uint64_t t_us, char code, std::string_view data) {
  if (broken_) {
    return *broken_;
  }
  if (code == 'o' || code == 'i') {
    return add_exact(clamp(t_us), code == 'o' ? output_ : input_, data);
  }
  if (code < 'a' || code > 'z' || data.size() > kMaxEventBytes || finished_) {
    return Error{Errc::invalid, "not an event that a recording can take"};
  }
  if (Status begun = begin_text(clamp(t_us)); !begun) {
    return begun;
  }
  append_asciicast_event(pending_text_, last_us_ - event_us_, code, data);
  event_us_ = last_us_;
  pending_input_ += data.size();
  return pending_input_ < kFrameInputBytes ? ok() : close_data(Compressor::Then::flush);
}

Status RecordingWriter::add_exact(uint64_t t_us, ExactEncoder& encoder, std::string_view data) {
  while (!data.empty()) {
    if (Status begun = begin_text(t_us); !begun) {
      return begun;
    }
    const std::string_view piece = data.substr(0, piece_length(data));
    data.remove_prefix(piece.size());
    encoder.append(pending_text_, t_us - event_us_, piece);
    event_us_ = t_us;
    pending_input_ += piece.size();
    if (pending_input_ < kFrameInputBytes && data.empty()) {
      break;
    }
    if (Status closed = close_data(Compressor::Then::flush); !closed) {
      return closed;
    }
  }
  return ok();
}

// Order in the file is order in time: what waits as bytes goes first.
Status RecordingWriter::begin_text(uint64_t t_us) {
  if (finished_) {
    return Error{Errc::invalid, name_ + " is finished"};
  }
  Status closed = close_bytes();
  if (pending_text_.empty()) {
    pending_us_ = t_us;
  }
  return closed;
}

Status RecordingWriter::close_data(Compressor::Then then) {
  if (broken_) {
    return *broken_;
  }
  if (pending_text_.empty() && (then == Compressor::Then::flush || starts_segment_)) {
    return ok();
  }
  if (starts_segment_) {
    if (!screen_written_) {
      segments_.add(Segment{pending_us_, offset_, raw_bytes_, sealer_.frames()});
    }
    segment_us_ = pending_us_;
    segment_bytes_ = 0;
  }
  segment_bytes_ += pending_text_.size();
  if (segment_bytes_ >= kSegmentTextBytes || last_us_ - segment_us_ >= kSegmentUs) {
    then = Compressor::Then::end;
  }
  plaintext_.clear();
  text_stream_.stream(pending_text_, then, plaintext_);
  raw_bytes_ += pending_text_.size();
  const uint8_t flags = starts_segment_ ? kFlagSegment : 0;
  const uint64_t t_us = pending_text_.empty() ? last_us_ : pending_us_;
  starts_segment_ = then == Compressor::Then::end;
  screen_written_ = false;
  pending_text_.clear();
  pending_input_ = 0;
  return write_frame(FrameType::data, flags, t_us, plaintext_);
}

Status RecordingWriter::add_bytes(uint64_t t_us, ByteDirection direction,
                                  std::span<const uint8_t> bytes) {
  if (broken_ || finished_) {
    return broken_ ? *broken_ : Error{Errc::invalid, name_ + " is finished"};
  }
  clamp(t_us);
  if (Status closed = close_data(Compressor::Then::flush); !closed) {
    return closed;
  }
  if (direction != pending_direction_) {
    if (Status closed = close_bytes(); !closed) {
      return closed;
    }
    pending_direction_ = direction;
  }
  while (!bytes.empty()) {
    if (pending_bytes_.empty()) {
      pending_us_ = last_us_;
    }
    const auto piece =
        bytes.first(std::min(bytes.size(), kFrameInputBytes - pending_bytes_.size()));
    bytes = bytes.subspan(piece.size());
    pending_bytes_.insert(pending_bytes_.end(), piece.begin(), piece.end());
    if (pending_bytes_.size() == kFrameInputBytes) {
      if (Status closed = close_bytes(); !closed) {
        return closed;
      }
    }
  }
  return ok();
}

Status RecordingWriter::close_bytes() {
  if (broken_) {
    return *broken_;
  }
  if (pending_bytes_.empty()) {
    return ok();
  }
  const auto plaintext = code_bytes(static_cast<uint8_t>(pending_direction_), pending_bytes_);
  pending_bytes_.clear();
  return write_frame(FrameType::bytes, 0, pending_us_, plaintext);
}

// Compressed where that gains an eighth. Where it does not (an archive, a forwarded TLS stream) the
// next 1, 2, 4 ... 256 frames are not even tried.
std::span<const uint8_t> RecordingWriter::code_bytes(uint8_t direction,
                                                     std::span<const uint8_t> bytes) {
  if (skip_compressing_ == 0) {
    plaintext_.assign({direction, 1});
    compress_once(bytes, plaintext_);
    if (plaintext_.size() < bytes.size() - bytes.size() / 8) {
      skip_next_ = 1;
      return plaintext_;
    }
    skip_compressing_ = skip_next_;
    skip_next_ = std::min(skip_next_ * 2, kMaxSkip);
  } else {
    --skip_compressing_;
  }
  plaintext_.assign({direction, 0});
  plaintext_.insert(plaintext_.end(), bytes.begin(), bytes.end());
  return plaintext_;
}

void RecordingWriter::compress_once(std::span<const uint8_t> bytes, std::vector<uint8_t>& out) {
  if (!once_) {
    once_.emplace();
  }
  once_->once(bytes, out);
}

Status RecordingWriter::add_text(uint64_t t_us, std::string_view line) {
  if (broken_ || finished_) {
    return broken_ ? *broken_ : Error{Errc::invalid, name_ + " is finished"};
  }
  pending_lines_ += std::to_string(std::min(t_us, last_us_)) + '\t';
  for (const char c : line.substr(0, kMaxTextLine)) {
    pending_lines_ += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  pending_lines_ += '\n';
  return pending_lines_.size() < kFrameInputBytes ? ok() : close_lines();
}

Status RecordingWriter::close_lines() {
  if (pending_lines_.empty()) {
    return ok();
  }
  if (Status flushed = flush(); !flushed) {
    return flushed;
  }
  plaintext_.clear();
  compress_once(as_bytes(pending_lines_), plaintext_);
  pending_lines_.clear();
  return write_frame(FrameType::text, 0, last_us_, plaintext_);
}

Status RecordingWriter::add_screen(uint64_t t_us, std::string_view repaint) {
  if (broken_) {
    return *broken_;
  }
  if (!at_segment_end() || screen_written_ || finished_ || repaint.size() > kMaxScreenBytes) {
    return Error{Errc::invalid, "a screen stands once, between two segments, of at most 512 KiB"};
  }
  if (Status closed = close_bytes(); !closed) {
    return closed;
  }
  plaintext_.clear();
  compress_once(as_bytes(repaint), plaintext_);
  segments_.add(Segment{clamp(t_us), offset_, raw_bytes_, sealer_.frames()});
  screen_written_ = true;
  return write_frame(FrameType::screen, 0, last_us_, plaintext_);
}

Status RecordingWriter::flush() {
  Status done = close_data(Compressor::Then::flush);
  done = done ? close_bytes() : std::move(done);
  return done ? write_out() : std::move(done);
}

Status RecordingWriter::finish() {
  if (finished_) {
    return ok();
  }
  Status done = flush();
  if (done) {
    done = close_lines();
  }
  if (done) {
    done = close_data(Compressor::Then::end);  // all D together are a whole zstd file
  }
  if (done) {
    done = write_end();
  }
  finished_ = true;
  return done;
}

Status RecordingWriter::write_end() {
  EndRecord record{sealer_.frames(), raw_bytes_, last_us_, to_hex(sealer_.head()),
                   std::move(segments_)};
  plaintext_.clear();
  compress_once(as_bytes(encode_end_record(record)), plaintext_);
  const uint64_t end_offset = offset_;
  if (Status done = write_frame(FrameType::end, 0, last_us_, plaintext_); !done) {
    return done;
  }
  std::array<uint8_t, kTrailerBytes> trailer{};
  const std::span<uint8_t> out(trailer);
  put_le(out, record.frames, 8);
  put_le(out.subspan(8), end_offset, 8);
  std::copy(kTrailerMagic.begin(), kTrailerMagic.end(), trailer.begin() + 16);
  sealed_.insert(sealed_.end(), trailer.begin(), trailer.end());
  offset_ += trailer.size();
  return write_out();
}

Status RecordingWriter::write_frame(FrameType type, uint8_t flags, uint64_t t_us,
                                    std::span<const uint8_t> plaintext) {
  const size_t before = sealed_.size();
  sealer_.seal(type, flags, t_us, plaintext, sealed_);
  offset_ += sealed_.size() - before;
  return sealed_.size() < kWriteBytes ? ok() : write_out();
}

// The same bytes go on where a short write stopped: nothing is ever sealed a second time.
Status RecordingWriter::write_out() {
  if (!write_all(fd_.get(), sealed_)) {
    broken_ = cannot_write(name_);
    return *broken_;
  }
  sealed_.clear();
  return ok();
}

}  // namespace sallyport
