// SPDX-License-Identifier: Apache-2.0
#include "shared/asciicast/reader.h"

#include "shared/asciicast/event_json.h"
#include "shared/asciicast/header_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

std::string_view trim(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) {
    return {};
  }
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

Result<AsciicastEvent> v1_event(const nlohmann::json& frame, uint64_t& time_us) {
  if (!frame.is_array() || frame.size() != 2 || !frame[0].is_number() || !frame[1].is_string()) {
    return Error{Errc::protocol, "\"stdout\" holds [seconds, \"text\"] only"};
  }
  auto us = seconds_to_us(frame[0].get<double>());
  if (!us) {
    return std::move(us).error();
  }
  time_us += *us;
  return AsciicastEvent{time_us, 'o', frame[1].get<std::string>()};
}

}  // namespace

Error AsciicastReader::fail(Errc code, const std::string& what) {
  failed_ = Error{code, "asciicast line " + std::to_string(line_) + ": " + what};
  return *failed_;
}

Error AsciicastReader::too_long() {
  return fail(Errc::limit, header_
                               ? "longer than 16 MiB"
                               : "longer than 16 MiB, which no header is and no v1 file may be; "
                                 "convert it to v3 with asciinema convert");
}

Status AsciicastReader::feed(std::string_view bytes, std::vector<AsciicastEvent>& out) {
  while (!bytes.empty()) {
    if (failed_) {
      return *failed_;
    }
    const size_t end = is_v1_ ? std::string_view::npos : bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (pending_.size() + piece.size() > kAsciicastMaxLine) {
      return too_long();
    }
    if (end == std::string_view::npos) {
      pending_ += piece;
      return ok();
    }
    bytes.remove_prefix(end + 1);
    std::string held;
    std::string_view line = piece;
    if (!pending_.empty()) {
      held = std::move(pending_);
      pending_.clear();
      line = held += piece;
    }
    if (Status done = take_line(line, out); !done) {
      return done;
    }
    ++line_;
  }
  return ok();
}

Status AsciicastReader::take_line(std::string_view raw, std::vector<AsciicastEvent>& out) {
  const std::string_view line = trim(raw);
  if (!header_) {
    return line.empty() ? ok() : take_first_line(line);
  }
  const bool comment = header_->version == 3 && !line.empty() && line.front() == '#';
  return line.empty() || comment ? ok() : take_event(line, out);
}

// A v1 file is one object, on one line or on many. A first line that is an object of version 2 or 3
// is a header; anything else may only be the beginning of a v1 file.
Status AsciicastReader::take_first_line(std::string_view line) {
  if (line.front() != '{') {
    return fail(Errc::protocol, "not an asciicast: the file does not begin with a JSON object");
  }
  const auto json = parse_bounded_json(line);
  if (!json || json->value("version", nlohmann::json()) == 1) {
    is_v1_ = true;
    pending_.assign(line).push_back('\n');
    return ok();
  }
  if (line.size() > kAsciicastMaxHeader) {
    return fail(Errc::limit, "the header is longer than 1 MiB");
  }
  auto header = header_from_json(*json);
  if (!header) {
    return fail(header.error().code, header.error().message);
  }
  header_ = std::move(*header);
  return ok();
}

Status AsciicastReader::take_event(std::string_view line, std::vector<AsciicastEvent>& out) {
  auto event = parse_event_line(line);
  if (!event) {
    return fail(event.error().code, event.error().message);
  }
  if (restart_us_) {
    time_us_ = *restart_us_;
    restart_us_.reset();
  } else if (header_->version == 3) {
    time_us_ += event->number_us;
  } else {
    time_us_ = std::max(time_us_, event->number_us);
  }
  if (time_us_ > kAsciicastMaxTimeUs) {
    return fail(Errc::limit, "the intervals add up to more than ten years");
  }
  if (event->code.size() == 1) {
    out.push_back(AsciicastEvent{time_us_, event->code[0], std::move(event->data)});
  }
  return ok();
}

Status AsciicastReader::take_v1(std::vector<AsciicastEvent>& out) {
  const auto json = parse_bounded_json(pending_);
  if (!json) {
    return fail(json.error().code, json.error().message);
  }
  auto header = header_from_json(*json);
  const auto frames = json->is_object() ? json->find("stdout") : json->end();
  if (!header || header->version != 1 || frames == json->end() || !frames->is_array()) {
    return fail(Errc::protocol,
                header ? "a v1 file needs \"stdout\", a list" : header.error().message);
  }
  for (const auto& frame : *frames) {
    auto event = v1_event(frame, time_us_);
    if (!event || time_us_ > kAsciicastMaxTimeUs) {
      return fail(Errc::protocol, event ? "longer than ten years" : event.error().message);
    }
    out.push_back(std::move(*event));
  }
  header_ = std::move(*header);
  pending_ = std::string();
  return ok();
}

Status AsciicastReader::finish(std::vector<AsciicastEvent>& out) {
  if (failed_) {
    return *failed_;
  }
  if (!is_v1_ && !pending_.empty()) {
    const std::string line = std::move(pending_);
    pending_.clear();
    if (Status done = take_line(line, out); !done) {
      failed_->code = Errc::corrupt;
      failed_->message += " (the last line, without its end: cut off?)";
      return *failed_;
    }
  }
  if (is_v1_ && !header_) {
    return take_v1(out);
  }
  if (!header_) {
    return fail(Errc::protocol, "the file is empty");
  }
  return ok();
}

void AsciicastReader::restart_at(uint64_t time_us) {
  pending_.clear();
  restart_us_ = time_us;
}

}  // namespace sallyport
