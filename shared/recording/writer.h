// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/asciicast/exact_bytes.h"
#include "shared/base/id.h"
#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/crypto/age_keys.h"
#include "shared/recording/compression.h"
#include "shared/recording/file_name.h"
#include "shared/recording/frame_sealer.h"
#include "shared/recording/segments.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct RecordingSetup {
  Id session;
  uint32_t channel = 0;
  std::string node;  // a name of at most 32 characters
  uint64_t start_ms = 0;
  std::vector<AgeRecipient> recipients;           // at least one
  std::vector<AgeRecipient> second_recipients{};  // the inner layer's (envelope.h), or none
  RecordingPart part = RecordingPart::channel;
};

// The header of a recording that is about to begin, and what only its writer knows.
struct NewRecording {
  std::vector<uint8_t> header;  // the file's first bytes
  Sha256Digest first_head{};    // H0 of the chain
  std::string file_name;
  uint64_t start_ms = 0;
  SecretBytes payload_key;
};

// Errc::invalid: no or bad recipients, a bad node name.
Result<NewRecording> new_recording(const RecordingSetup& setup);

// Writes one BREC/1 file (docs/formats/brec.md) to a descriptor that can only append. Meant for the
// monitor: record first, forward second. So call flush() and look at its answer before the bytes
// that were added go on to the other side.
//
// After prepare_process() has run once in the process, everything here, new_recording() included,
// needs these system calls only: write, getrandom, getpid (OpenSSL's generator asks for it), brk,
// mmap, munmap, mremap, madvise, futex. tests/shared/recording/sandbox_test.cpp holds it to that.
//
// Memory: 1 MiB for the zstd stream, 1 MiB more with the first T, S, B or E frame, below 1 MiB of
// buffers, and 32 bytes per MiB of text (at most 512 KiB). Flat whatever the length.
//
// Times are microseconds since the start of the session; one that goes back counts as the last.
// After an error the writer is broken and gives that error again: end the session. Destroying a
// writer without finish() leaves a readable file that has ended early.
class RecordingWriter {
public:
  // Fetches and uses everything once. Before the sandbox; costs a few milliseconds.
  static void prepare_process();

  // Writes the first frame, which holds `asciicast_header`: one line of JSON, with or without its
  // newline (shared/asciicast/writer.h makes it). The file has the new recording's header and
  // nothing else. Errc::invalid: not one line; Errc::io: cannot write.
  static Result<RecordingWriter> begin(UniqueFd fd, NewRecording recording,
                                       std::string_view asciicast_header);

  // Both in one, into an empty file.
  static Result<RecordingWriter> create(UniqueFd fd, const RecordingSetup& setup,
                                        std::string_view asciicast_header);

  RecordingWriter(RecordingWriter&&) = default;
  RecordingWriter& operator=(RecordingWriter&&) = default;

  // An asciicast event: 'o' and 'i' of any bytes and any length, exact (exact_bytes.h); 'r', 'm',
  // 'x', 'c' up to kMaxEventBytes of text. 'O' and 'I' are ours to make.
  Status add_event(uint64_t t_us, char code, std::string_view data);

  // Content that is not text: exec without a terminal, sftp, forwards.
  Status add_bytes(uint64_t t_us, ByteDirection direction, std::span<const uint8_t> bytes);

  // One line for search. Held back until there are 32 KiB of them, or the end.
  Status add_text(uint64_t t_us, std::string_view line);

  // Text that repaints the screen as it is now. Only while at_segment_end(); optional.
  Status add_screen(uint64_t t_us, std::string_view repaint);
  bool at_segment_end() const { return pending_text_.empty() && starts_segment_; }

  // Everything added so far, but T lines, is in the kernel's hands when this returns ok.
  Status flush();

  // flush(), T, E and the trailer. Nothing can be added after it.
  Status finish();

  // For the node log. They cover what has been added, and after flush() that is what is written.
  uint64_t frames() const { return sealer_.frames(); }
  const Sha256Digest& chain_head() const { return sealer_.head(); }
  const Sha256Digest& first_head() const { return first_head_; }
  uint64_t bytes_written() const { return offset_; }

private:
  RecordingWriter(UniqueFd fd, NewRecording recording)
      : fd_(std::move(fd)),
        name_(std::move(recording.file_name)),
        first_head_(recording.first_head),
        sealer_(recording.payload_key, recording.first_head),
        offset_(recording.header.size()) {}

  uint64_t clamp(uint64_t t_us);
  Status add_exact(uint64_t t_us, ExactEncoder& encoder, std::string_view data);
  Status begin_text(uint64_t t_us);
  Status close_data(Compressor::Then then);
  Status close_bytes();
  Status close_lines();
  Status write_end();
  std::span<const uint8_t> code_bytes(uint8_t direction, std::span<const uint8_t> bytes);
  void compress_once(std::span<const uint8_t> bytes, std::vector<uint8_t>& out);
  Status write_frame(FrameType type, uint8_t flags, uint64_t t_us,
                     std::span<const uint8_t> plaintext);
  Status write_out();

  UniqueFd fd_;
  std::string name_;  // of the file, for errors
  Sha256Digest first_head_;
  FrameSealer sealer_;
  Compressor text_stream_;
  std::optional<Compressor> once_;
  ExactEncoder output_{'o'};
  ExactEncoder input_{'i'};

  std::string pending_text_;  // events of the next D frame, whole lines
  uint64_t pending_us_ = 0;   // the first one's time, or the first of pending_bytes_
  size_t pending_input_ = 0;  // bytes that were added to make it
  std::vector<uint8_t> pending_bytes_;
  ByteDirection pending_direction_ = ByteDirection::output;
  std::string pending_lines_;

  uint64_t last_us_ = 0;   // the last time given, by anyone
  uint64_t event_us_ = 0;  // the last event's: intervals count from it
  uint64_t offset_ = 0;
  uint64_t raw_bytes_ = 0;
  bool starts_segment_ = true;
  bool screen_written_ = false;  // the S frame has already entered the next segment
  uint64_t segment_us_ = 0;
  uint64_t segment_bytes_ = 0;
  SegmentList segments_;
  uint32_t skip_compressing_ = 0;  // B frames still to be written as they are
  uint32_t skip_next_ = 1;
  std::vector<uint8_t> plaintext_;
  std::vector<uint8_t> sealed_;  // not written yet
  std::optional<Error> broken_;
  bool finished_ = false;
};

}  // namespace sallyport
