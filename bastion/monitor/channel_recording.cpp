// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/channel_recording.h"

#include "bastion/monitor/forward_destination.h"
#include "bastion/monitor/looks_like_text.h"
#include "shared/asciicast/writer.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/base/utf8.h"
#include "shared/crypto/age_keys.h"
#include "shared/recording/facts.h"

namespace sallyport::monitor {

namespace {

constexpr size_t kMaxShownCommand = 4096;

uint64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// JSON is text: bytes that are none are shown as escapes.
std::string readable(std::string_view text) {
  return is_valid_utf8(text) ? std::string(text) : printable(text, text.size());
}

SessionFacts facts_of(const RecordedSession& of, const RecordedChannel& channel) {
  SessionFacts facts;
  facts.who = of.grant.person;
  facts.issuer = of.grant.issuer;
  facts.subject = of.grant.subject;
  facts.target = of.grant.target;
  facts.login = of.grant.login;
  facts.address = of.address;
  facts.fingerprint = of.grant.fingerprint;
  facts.kind = name_of(channel.start.kind);
  facts.command = channel.start.command;
  facts.session = of.session.hex();
  facts.channel = channel.start.channel;
  facts.node = of.node;
  facts.pty = channel.pty.has_value();
  return facts;
}

Result<std::vector<AgeRecipient>> parse_all(const std::vector<std::string>& texts) {
  std::vector<AgeRecipient> recipients;
  for (const std::string& text : texts) {
    auto recipient = parse_age_recipient(text);
    if (!recipient) {
      return recipient.error();
    }
    recipients.push_back(*recipient);
  }
  return recipients;
}

std::string header_line(const RecordedSession& of, const RecordedChannel& channel,
                        uint64_t start_ms) {
  const std::optional<ChannelPty>& pty = channel.pty;
  AsciicastHeader header;
  if (pty) {
    header.cols = asciicast_size(pty->columns, kAsciicastUsualCols);
    header.rows = asciicast_size(pty->rows, kAsciicastUsualRows);
    header.term_type = readable(pty->term);
  }
  header.timestamp = static_cast<int64_t>(start_ms / 1000);
  // For other players. The whole command is a fact; with escapes it must not be there twice.
  header.command = readable(channel.start.command);
  if (header.command.size() > kMaxShownCommand) {
    header.command = printable(header.command, kMaxShownCommand);
  }
  header.sallyport = facts_json(facts_of(of, channel));
  return asciicast_header_line(header);
}

}  // namespace

Result<ChannelRecording> ChannelRecording::create(UniqueFd file, const RecordedSession& of,
                                                  const RecordedChannel& channel) {
  auto recipients = parse_all(of.grant.recipients);
  if (!recipients) {
    return recipients.error();
  }
  const uint64_t start_ms = unix_ms();
  auto writer = RecordingWriter::create(
      std::move(file),
      {of.session, channel.start.channel, of.node, start_ms, std::move(*recipients)},
      header_line(of, channel, start_ms));
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

Result<RecordingEnd> ChannelRecording::finish() {
  for (KeptStream* stream : {&input_, &output_, &error_}) {
    if (const Status told = stream->finish(writer_, now_us()); !told) {
      return told.error();
    }
  }
  if (const Status finished = writer_.finish(); !finished) {
    return finished.error();
  }
  return RecordingEnd{writer_.frames(), std::string(as_text(writer_.chain_head()))};
}

}  // namespace sallyport::monitor
