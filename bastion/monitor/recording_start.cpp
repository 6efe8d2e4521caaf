// SPDX-License-Identifier: Apache-2.0
#include "bastion/monitor/recording_start.h"

#include "shared/asciicast/writer.h"
#include "shared/base/hex.h"
#include "shared/base/printable.h"
#include "shared/base/unix_ms.h"
#include "shared/base/utf8.h"
#include "shared/crypto/age_keys.h"
#include "shared/recording/facts.h"

namespace sallyport::monitor {

namespace {

constexpr size_t kMaxShownCommand = 4096;

// JSON is text: bytes that are none are shown as escapes.
std::string readable(std::string_view text) {
  return is_valid_utf8(text) ? std::string(text) : printable(text, text.size());
}

SessionFacts facts_of(const RecordedSession& of, const RecordedChannel& channel,
                      RecordingPart part) {
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
  facts.part = name_of(part);
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
                        uint64_t start_ms, RecordingPart part) {
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
  header.sallyport = facts_json(facts_of(of, channel, part));
  return asciicast_header_line(header);
}

}  // namespace

RecordingEnd end_of(const RecordingWriter& writer) {
  return {writer.frames(), std::string(as_text(writer.chain_head()))};
}

Result<NewRecording> prepare_recording(const RecordedSession& of, uint32_t channel,
                                       RecordingPart part) {
  const bool of_keys = part == RecordingPart::keystrokes;
  auto recipients = parse_all(of_keys ? of.grant.key_recipients : of.grant.recipients);
  if (!recipients) {
    return recipients.error();
  }
  auto second_recipients =
      parse_all(of_keys ? of.grant.second_key_recipients : of.grant.second_recipients);
  if (!second_recipients) {
    return second_recipients.error();
  }
  return new_recording({of.session, channel, of.node, unix_ms(), std::move(*recipients),
                        std::move(*second_recipients), part});
}

Result<RecordingWriter> begin_recording(UniqueFd file, NewRecording recording,
                                        const RecordedSession& of, const RecordedChannel& channel,
                                        RecordingPart part) {
  const std::string line = header_line(of, channel, recording.start_ms, part);
  return RecordingWriter::begin(std::move(file), std::move(recording), line);
}

}  // namespace sallyport::monitor
