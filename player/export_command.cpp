// SPDX-License-Identifier: Apache-2.0
//
// cast2 and cast3 carry the readable events: "o" and "i" as valid UTF-8, resizes, markers, the exit
// status where the version knows it. Our own codes (exact bytes, command records) stay out, and so
// does what is no text. `text` is what stood on the screen, line by line as it scrolled off, then
// the last screen; the emulator makes it, in its sandbox, like for playing.
#include "player/commands.h"
#include "player/event_source.h"
#include "player/feeding.h"
#include "player/messages.h"
#include "player/screen_client.h"
#include "player/sink.h"
#include "shared/asciicast/writer.h"
#include "shared/base/printable.h"
#include "shared/base/utf8.h"

#include <string_view>

namespace sallyport {

namespace {

Status export_cast(EventSource& source, int version, Sink& sink) {
  AsciicastHeader header = source.facts().header;
  header.version = version;
  header.sallyport.clear();
  if (!header.timestamp && source.facts().start_ms) {
    header.timestamp = *source.facts().start_ms / 1000;
  }
  sink.buffer() = asciicast_header_line(header);
  AsciicastWriter writer(version);
  std::vector<AsciicastEvent> events;
  for (;;) {
    events.clear();
    const Result<bool> more = source.next(events);
    if (!more) {
      (void)sink.drain(0);
      return more.error();
    }
    for (const AsciicastEvent& event : events) {
      if (std::string_view("oirmx").find(event.code) != std::string_view::npos) {
        writer.append(sink.buffer(), event);
      }
    }
    if (Status drained = sink.drain(); !drained) {
      return drained;
    }
    if (!*more || sink.reader_gone()) {
      return sink.drain(0);
    }
  }
}

void append_line(std::string& out, const std::string& line) {
  out += printable(line, line.size());
  out += '\n';
}

std::string row_text(const Picture& picture, int row) {
  std::string text;
  for (int column = 0; column < picture.columns; ++column) {
    const Cell& cell = picture.at(row, column);
    if (cell.width == 0) {
      continue;
    }
    if (cell.text[0] == 0) {
      text += ' ';
    }
    for (const char32_t c : cell.text) {
      if (c == 0) {
        break;
      }
      append_utf8(text, c);
    }
  }
  return text;
}

// `line` is the beginning of the first row's line, which has scrolled off already.
void append_screen(std::string& out, const Picture& picture, std::string line) {
  std::string screen;
  for (int row = 0; row < picture.rows; ++row) {
    line += row_text(picture, row);
    if (picture.wrapped[static_cast<size_t>(row)] != 0 && row + 1 < picture.rows) {
      continue;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    append_line(screen, line);
    line.clear();
  }
  const size_t end = screen.find_last_not_of('\n');
  out += end == std::string::npos ? "" : screen.substr(0, end + 2);
}

class TextExport {
public:
  TextExport(EventSource& source, ScreenClient& screen, Sink& sink)
      : source_(source), screen_(screen), sink_(sink) {}

  // What was seen before an error is genuine, and written.
  Status run() {
    const Status done = run_through();
    const Status written = sink_.drain(0);
    return done ? written : done;
  }

private:
  Status run_through() {
    const SourceFacts& facts = source_.facts();
    if (Status ready = screen_.reset(facts.columns, facts.rows); !ready) {
      return ready;
    }
    if (Status ready = screen_.keep_lines(); !ready) {
      return ready;
    }
    std::vector<AsciicastEvent> events;
    for (;;) {
      events.clear();
      const Result<bool> more = source_.next(events);
      for (const AsciicastEvent& event : events) {
        if (Status applied = apply(event); !applied) {
          return applied;
        }
      }
      if (!more || !*more) {
        const Status written = finish();
        return more ? written : more.error();
      }
      if (sink_.reader_gone()) {
        return ok();
      }
    }
  }

  Status apply(const AsciicastEvent& event) {
    if (event.code == 'o') {
      if (source_.facts().has_terminal) {
        pending_ += event.data;
      } else {
        returns_.append(pending_, event.data);
      }
      return pending_.size() < Sink::kBlockBytes / 2 ? ok() : feed();
    }
    const auto size = event.code == 'r' ? parse_size(event.data) : std::nullopt;
    if (!size) {
      return ok();
    }
    if (Status fed = feed(); !fed) {
      return fed;
    }
    return screen_.resize(size->columns, size->rows);
  }

  Status feed() {
    for (std::string_view rest = pending_; !rest.empty();) {
      const std::string_view part = rest.substr(0, kMaxFeedBytes);
      if (Status fed = screen_.feed(part); !fed) {
        return fed;
      }
      if (Status taken = take_lines(); !taken) {
        return taken;
      }
      rest.remove_prefix(part.size());
    }
    pending_.clear();
    return take_lines();  // a resize makes some, too
  }

  Status take_lines() {
    const auto lines = screen_.take_lines(false);
    if (!lines) {
      return lines.error();
    }
    for (const std::string& line : *lines) {
      append_line(sink_.buffer(), line);
    }
    return sink_.drain();
  }

  // The last screen; under an alternate one also the main one.
  Status finish() {
    if (Status fed = feed(); !fed) {
      return fed;
    }
    const auto rest = screen_.take_lines(true);
    const auto last = screen_.look();
    if (!rest || !last) {
      return rest ? last.error() : rest.error();
    }
    const std::string begun = rest->empty() ? "" : rest->back();
    if (last->alternate) {
      if (Status fed = screen_.feed("\x1b\\\x18\x1b[?1047l"); !fed) {
        return fed;
      }
      const auto main = screen_.look();
      if (!main) {
        return main.error();
      }
      append_screen(sink_.buffer(), *main, begun);
    }
    append_screen(sink_.buffer(), *last, last->alternate ? "" : begun);
    return ok();
  }

  EventSource& source_;
  ScreenClient& screen_;
  Sink& sink_;
  std::string pending_;
  ReturnAdder returns_;
};

}  // namespace

Status export_recording(const std::string& path, const std::vector<std::string>& identity_files,
                        ExportFormat format, const std::string& output) {
  if (format >= ExportFormat::standard_input) {
    return export_bytes(path, identity_files, format, output);
  }
  const bool text = format == ExportFormat::text;
  Result<ScreenClient> screen = ScreenClient::start();  // before there is a key to inherit
  if (!screen) {
    return screen.error();
  }
  auto source = open_source(path, identity_files, text ? EventForm::exact : EventForm::readable);
  if (!source) {
    return source.error();
  }
  Result<Sink> sink = Sink::open(output);
  if (!sink) {
    return sink.error();
  }
  const Status done = text ? TextExport(**source, *screen, *sink).run()
                           : export_cast(**source, format == ExportFormat::cast2 ? 2 : 3, *sink);
  if (done && !sink->reader_gone() && !(*source)->ending().empty()) {
    print_message("note: " + (*source)->ending());  // no error: all that there is was written
  }
  return done;
}

}  // namespace sallyport
