// SPDX-License-Identifier: Apache-2.0
//
// A BREC/1 recording as events. Holds the data key; runs in the player itself, never beside the
// emulator. Every frame's tag is checked before anything in it is given out.
#include "player/event_source.h"
#include "shared/asciicast/exact_bytes.h"
#include "shared/asciicast/reader.h"
#include "shared/base/printable.h"
#include "shared/recording/reader.h"

#include <fcntl.h>

#include <algorithm>

namespace sallyport {

namespace {

const char* direction_text(ByteDirection direction) {
  switch (direction) {
    case ByteDirection::to_target:
      return "to the target";
    case ByteDirection::output:
      return "of output";
    case ByteDirection::error_output:
      return "of error output";
  }
  return "";
}

class BrecSource final : public EventSource {
public:
  BrecSource(RecordingReader reader, const std::string& path, EventForm form)
      : reader_(std::move(reader)), file_(path), path_(printable(path)), form_(form) {}

  Status open() {
    place_.at = reader_.place();
    marks_.push_back(place_);
    facts_.start_ms = static_cast<int64_t>(reader_.header().start_ms);
    facts_.duration_us = find_duration();
    std::vector<AsciicastEvent> events;
    while (!place_.cast.header()) {
      const Result<bool> more = next(events);
      if (!more) {
        return more.error();
      }
      if (!*more) {
        return Error{Errc::corrupt, path_ + ": the recording ends before its first frame"};
      }
    }
    take_header(*place_.cast.header(), facts_);
    return return_to(0);
  }

  const SourceFacts& facts() const override { return facts_; }

  Result<bool> next(std::vector<AsciicastEvent>& out) override {
    if (Status looked = look_ahead(); !looked) {
      return looked.error();
    }
    if (!ahead_) {
      return false;
    }
    const RecordingFrame frame = std::move(*ahead_);
    ahead_.reset();
    place_.last_us = std::max(place_.last_us, frame.t_us);
    if (frame.type == FrameType::bytes) {
      out.push_back(
          {frame.t_us, kBytesNote,
           std::to_string(frame.data.size()) + " bytes " + direction_text(frame.direction)});
    } else if (frame.type == FrameType::data) {
      std::vector<AsciicastEvent> events;
      if (Status parsed = place_.cast.feed(frame.data, events); !parsed) {
        return Error{parsed.error().code, path_ + ": " + parsed.error().message};
      }
      hand_out(events, out);
    }
    return true;
  }

  std::optional<uint32_t> mark() override {
    if (Status looked = look_ahead(); !looked || !ahead_) {
      return std::nullopt;
    }
    if (ahead_->type != FrameType::data || !ahead_->starts_segment) {
      return std::nullopt;
    }
    place_.at = ahead_at_;
    marks_.push_back(place_);
    return static_cast<uint32_t>(marks_.size() - 1);
  }

  Status return_to(uint32_t mark) override {
    place_ = marks_.at(mark);
    ahead_.reset();
    reader_.return_to(place_.at);
    return ok();
  }

  std::string ending() const override {
    return reader_.ended() ? "" : "the recording stops here: it was cut off, or is still running";
  }

private:
  struct Place {
    RecordingReader::Place at;  // of the segment's first frame
    uint64_t last_us = 0;
    AsciicastReader cast;
    ExactDecoder decoder;
  };

  Status look_ahead() {
    if (!ahead_) {
      ahead_at_ = reader_.place();
      auto frame = reader_.next();
      if (!frame) {
        return frame.error();
      }
      ahead_ = std::move(*frame);
    }
    return ok();
  }

  void hand_out(std::vector<AsciicastEvent>& events, std::vector<AsciicastEvent>& out) {
    for (AsciicastEvent& event : events) {
      if (event.code == kBytesNote) {
        continue;  // only we say that
      }
      if (form_ == EventForm::readable) {
        out.push_back(std::move(event));
      } else if (auto exact = place_.decoder.take(std::move(event))) {
        out.push_back(std::move(*exact));
      }
    }
  }

  // From the end frame, or from the frames' headers where there is none.
  std::optional<uint64_t> find_duration() {
    const auto end = reader_.end_record();
    if (end && *end) {
      return (*end)->end_us;
    }
    UniqueFd fd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
    auto walker = RecordingWalker::open(std::make_unique<FdSource>(std::move(fd)));
    if (!walker) {
      return std::nullopt;
    }
    uint64_t last_us = 0;
    for (auto frame = walker->skip(); frame && *frame; frame = walker->skip()) {
      last_us = std::max(last_us, (*frame)->header.t_us);
    }
    return last_us;
  }

  RecordingReader reader_;
  std::string file_;
  std::string path_;  // for messages
  EventForm form_;
  SourceFacts facts_;
  std::optional<RecordingFrame> ahead_;
  RecordingReader::Place ahead_at_;
  Place place_;
  std::vector<Place> marks_;
};

}  // namespace

Result<std::unique_ptr<EventSource>> open_brec_source(const std::string& path,
                                                      std::vector<AgeIdentity> identities,
                                                      EventForm form) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return errno_error("cannot open " + printable(path));
  }
  Result<RecordingReader> reader = RecordingReader::open(std::move(fd), identities);
  if (!reader) {
    return cannot_open(path, reader.error());
  }
  auto source = std::make_unique<BrecSource>(std::move(*reader), path, form);
  if (Status opened = source->open(); !opened) {
    return opened.error();
  }
  return std::unique_ptr<EventSource>(std::move(source));
}

}  // namespace sallyport
