// SPDX-License-Identifier: Apache-2.0
//
// One stream of a channel as it was, byte for byte: text from the "o" and "O" events, and what is
// no text from the binary frames, in the order of the file. A stream that has turned binary stays
// it, so this is the order in which the bytes went.
#include "player/commands.h"
#include "player/event_source.h"
#include "player/messages.h"
#include "player/sink.h"
#include "shared/asciicast/exact_bytes.h"
#include "shared/asciicast/reader.h"
#include "shared/base/printable.h"
#include "shared/recording/reader.h"
#include "shared/recording/stream_digest.h"

#include <fcntl.h>

namespace sallyport {

namespace {

ByteDirection direction_of(ExportFormat format) {
  return format == ExportFormat::standard_input   ? ByteDirection::to_target
         : format == ExportFormat::standard_error ? ByteDirection::error_output
                                                  : ByteDirection::output;
}

class StreamExport {
public:
  StreamExport(RecordingReader& reader, ByteDirection stream, Sink& sink)
      : reader_(reader), stream_(stream), sink_(sink) {}

  Status run() {
    for (;;) {
      auto frame = reader_.next();
      Status taken = frame && *frame ? take(**frame) : ok();
      if (frame && *frame && taken && !sink_.reader_gone()) {
        if (taken = sink_.drain(); taken) {
          continue;
        }
      }
      // What was read before an error is genuine.
      const Status drained = sink_.drain(0);
      return !frame ? frame.error() : !taken ? taken : drained;
    }
  }

private:
  Status take(const RecordingFrame& frame) {
    if (frame.type == FrameType::bytes && frame.direction == stream_) {
      sink_.buffer() += frame.data;
    }
    if (frame.type != FrameType::data) {
      return ok();
    }
    std::vector<AsciicastEvent> events;
    Status parsed = cast_.feed(frame.data, events);
    for (AsciicastEvent& event : events) {
      take_event(std::move(event));
    }
    return parsed;
  }

  // Bytes that a role does not keep: the reader is told, and nothing is put in their place.
  void note_gap(const std::string& text) {
    const auto digest = parse_digest(text);
    if (digest && digest->stream == stream_) {
      print_message("note: not all of this stream was kept; the SHA-256 of its first " +
                    std::to_string(digest->bytes) + " bytes is " + printable(digest->sha256) +
                    ", and what follows begins at byte " + std::to_string(digest->next));
    }
  }

  void take_event(AsciicastEvent raw) {
    const auto event = decoder_.take(std::move(raw));
    if (!event) {
      return;
    }
    if (event->code == 'd') {
      note_gap(event->data);
    } else if (event->code == 's') {
      text_of_ = event->data == "stderr" ? ByteDirection::error_output : ByteDirection::output;
    } else if ((event->code == 'o' && text_of_ == stream_) ||
               (event->code == 'i' && stream_ == ByteDirection::to_target)) {
      sink_.buffer() += event->data;
    }
  }

  RecordingReader& reader_;
  ByteDirection stream_;
  Sink& sink_;
  AsciicastReader cast_;
  ExactDecoder decoder_;
  ByteDirection text_of_ = ByteDirection::output;
};

}  // namespace

Status export_bytes(const std::string& path, const std::vector<std::string>& identity_files,
                    ExportFormat format, const std::string& output) {
  if (!is_brec_file(path)) {
    return Error{Errc::invalid, printable(path) +
                                    " is not a recording of Sallyport's: only those " +
                                    "hold exact bytes; try --format text"};
  }
  const auto identities = read_identities(identity_files);
  if (!identities) {
    return identities.error();
  }
  auto reader =
      RecordingReader::open(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), *identities);
  if (!reader) {
    return cannot_open(path, reader.error());
  }
  auto sink = Sink::open(output);
  if (!sink) {
    return sink.error();
  }
  if (sink->is_terminal()) {
    return Error{Errc::invalid,
                 "what was recorded could control your terminal: name a file with "
                 "-o, or use a pipe"};
  }
  const Status done = StreamExport(*reader, direction_of(format), *sink).run();
  if (done && !reader->ended() && !sink->reader_gone()) {
    print_message("note: " + printable(path) + " was cut off, or is still running");
  }
  return done;
}

}  // namespace sallyport
