// SPDX-License-Identifier: Apache-2.0
//
// asciicast v1, v2 and v3 files. v2 and v3 are read a block of whole lines at a time and can be
// marked between blocks; v1 is one document and can only begin at its beginning.
#include "player/event_source.h"
#include "shared/asciicast/exact_bytes.h"
#include "shared/asciicast/reader.h"
#include "shared/base/printable.h"
#include "shared/base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace sallyport {

namespace {

constexpr size_t kReadBytes = 64 * 1024;
// Summing up the intervals of a v3 file reads all of it; of a larger one the end is unknown until
// it is reached.
constexpr off_t kMaxScanBytes = 512 * 1024 * 1024;

// The number that an event line begins with.
std::optional<double> line_seconds(std::string_view line) {
  const size_t bracket = line.find_first_not_of(" \t");
  if (bracket == std::string_view::npos || line[bracket] != '[') {
    return std::nullopt;
  }
  line.remove_prefix(bracket + 1);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  double seconds = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), seconds);
  if (parsed.ec != std::errc{} || !(seconds >= 0)) {
    return std::nullopt;
  }
  return seconds;
}

class CastSource final : public EventSource {
public:
  CastSource(UniqueFd fd, std::string path, EventForm form)
      : fd_(std::move(fd)), path_(std::move(path)), form_(form) {}

  Status open() {
    marks_.push_back({});
    if (Result<bool> more = next(first_); !more) {
      return more.error();
    }
    while (!place_.reader.header()) {  // v1, or a very long header
      Result<bool> more = next(first_);
      if (!more) {
        return more.error();
      }
      if (!*more) {
        break;
      }
    }
    if (!place_.reader.header()) {
      return Error{Errc::protocol,
                   printable(path_) + " is neither a recording nor an asciicast file"};
    }
    take_header(*place_.reader.header(), facts_);
    facts_.duration_us = find_duration();
    first_ = {};
    return return_to(0);
  }

  const SourceFacts& facts() const override { return facts_; }

  Result<bool> next(std::vector<AsciicastEvent>& out) override {
    if (place_.finished) {
      return false;
    }
    Result<std::string> lines = read_lines();
    if (!lines) {
      return lines.error();
    }
    std::vector<AsciicastEvent> events;
    const bool at_end = lines->empty();
    const Status parsed =
        at_end ? place_.reader.finish(events) : place_.reader.feed(*lines, events);
    place_.offset += lines->size();
    place_.finished = at_end;
    hand_out(events, out);
    if (!parsed) {
      if (parsed.error().code == Errc::corrupt && at_end) {
        ending_ = parsed.error().message;
        return !events.empty();
      }
      return Error{parsed.error().code, printable(path_) + ": " + parsed.error().message};
    }
    return !at_end || !events.empty();
  }

  std::optional<uint32_t> mark() override {
    const auto& header = place_.reader.header();
    if (!header || header->version == 1) {
      return std::nullopt;
    }
    marks_.push_back(place_);
    return static_cast<uint32_t>(marks_.size() - 1);
  }

  Status return_to(uint32_t mark) override {
    place_ = marks_.at(mark);
    return ok();
  }

  std::string ending() const override { return ending_; }

private:
  struct Place {
    uint64_t offset = 0;
    AsciicastReader reader;
    ExactDecoder decoder;
    bool finished = false;
  };

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

  // Whole lines from the place on; a last line without an end of line is whole, too.
  Result<std::string> read_lines() {
    std::string block;
    for (;;) {
      const size_t size = block.size();
      block.resize(size + kReadBytes);
      const ssize_t got = ::pread(fd_.get(), block.data() + size, kReadBytes,
                                  static_cast<off_t>(place_.offset + size));
      if (got < 0) {
        return errno_error("cannot read " + printable(path_));
      }
      block.resize(size + static_cast<size_t>(got));
      const size_t end = std::string_view(block).substr(size).rfind('\n');
      if (end != std::string::npos) {
        block.resize(size + end + 1);
        return block;
      }
      if (got == 0 || block.size() > kAsciicastMaxLine) {  // too long: the reader says so
        return block;
      }
    }
  }

  std::optional<uint64_t> find_duration() {
    struct stat info {};
    const int version = facts_.header.version;
    if (version == 1) {
      return first_.empty() ? 0 : first_.back().time_us;
    }
    if (::fstat(fd_.get(), &info) != 0 || info.st_size > kMaxScanBytes) {
      return std::nullopt;
    }
    place_ = {};
    double total = 0;
    for (;;) {
      const Result<std::string> lines = read_lines();
      if (!lines || lines->empty()) {
        break;
      }
      place_.offset += lines->size();
      for (std::string_view rest = *lines; !rest.empty();) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        if (const auto seconds = line_seconds(rest.substr(0, end))) {
          total = version == 3 ? total + *seconds : std::max(total, *seconds);
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
    const double us = std::min(total * 1e6, static_cast<double>(kAsciicastMaxTimeUs));
    return static_cast<uint64_t>(us + 0.5);
  }

  UniqueFd fd_;
  std::string path_;
  EventForm form_;
  SourceFacts facts_;
  Place place_;
  std::vector<Place> marks_;
  std::vector<AsciicastEvent> first_;
  std::string ending_;
};

}  // namespace

Result<std::unique_ptr<EventSource>> open_cast_source(const std::string& path, EventForm form) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return errno_error("cannot open " + printable(path));
  }
  auto source = std::make_unique<CastSource>(std::move(fd), path, form);
  if (Status opened = source->open(); !opened) {
    return opened.error();
  }
  return std::unique_ptr<EventSource>(std::move(source));
}

}  // namespace sallyport
