// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/channel_recording.h"

#include "bastion/monitor/looks_like_text.h"
#include "shared/asciicast/event.h"

namespace sallyport::monitor {

Result<ChannelRecording> ChannelRecording::begin(UniqueFd file, NewRecording recording,
                                                 const RecordedSession& of,
                                                 const RecordedChannel& channel) {
  auto writer =
      begin_recording(std::move(file), std::move(recording), of, channel, RecordingPart::channel);
  if (!writer) {
    return writer.error();
  }
  const Kind kind = channel.pty ? Kind::terminal : channel.forward ? Kind::forward : Kind::stream;
  const uint64_t bytes = kind == Kind::forward ? of.grant.forward_bytes : of.grant.stream_bytes;
  return ChannelRecording(std::move(*writer), kind, {bytes, kind == Kind::stream});
}

ChannelRecording::ChannelRecording(RecordingWriter writer, Kind kind, Allowance allowance)
    : writer_(std::move(writer)),
      kind_(kind),
      allowance_(allowance),
      input_(ByteDirection::to_target, allowance),
      output_(ByteDirection::output, allowance),
      error_(ByteDirection::error_output, allowance) {}

uint64_t ChannelRecording::now_us() const {
  const auto passed = std::chrono::steady_clock::now() - start_;
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
}

Status ChannelRecording::add_output(Stream stream, std::string_view bytes) {
  if (kind_ == Kind::terminal) {
    return writer_.add_event(now_us(), 'o', bytes);
  }
  KeptStream& kept = stream == Stream::error ? error_ : output_;
  bool& is_binary = is_binary_[stream == Stream::error ? 1 : 0];
  is_binary = is_binary || kind_ == Kind::forward || !looks_like_text(bytes);
  if (!is_binary) {
    kept.note_text(bytes);
    return add_text(stream, bytes);
  }
  return kept.add(writer_, now_us(), bytes, allowance_);
}

// Both streams are "o", so that every player shows them; ours can tell them apart.
Status ChannelRecording::add_text(Stream stream, std::string_view bytes) {
  if (stream != text_of_) {
    text_of_ = stream;
    const char* name = stream == Stream::error ? "stderr" : "stdout";
    if (Status told = writer_.add_event(now_us(), 's', name); !told) {
      return told;
    }
  }
  return writer_.add_event(now_us(), 'o', bytes);
}

Status ChannelRecording::add_input(std::string_view bytes) {
  return input_.add(writer_, now_us(), bytes, allowance_);
}

Status ChannelRecording::add_resize(uint32_t columns, uint32_t rows) {
  const uint32_t width = asciicast_size(columns, kAsciicastUsualCols);
  const uint32_t height = asciicast_size(rows, kAsciicastUsualRows);
  return writer_.add_event(now_us(), 'r', std::to_string(width) + "x" + std::to_string(height));
}

Status ChannelRecording::add_exit(uint32_t status) {
  return writer_.add_event(now_us(), 'x', std::to_string(status));
}

Status ChannelRecording::flush() {
  return writer_.flush();
}

RecordingEnd ChannelRecording::so_far() const {
  return end_of(writer_);
}

Result<RecordingEnd> ChannelRecording::finish() {
  for (KeptStream* stream : {&input_, &output_, &error_}) {
    if (const Status told = stream->finish(writer_, now_us()); !told) {
      return told.error();
    }
  }
  if (const Status finished = writer_.finish(); !finished) {
    return finished.error();
  }
  return so_far();
}

}  // namespace sallyport::monitor
