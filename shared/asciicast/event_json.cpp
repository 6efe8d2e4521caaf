// SPDX-License-Identifier: Apache-2.0
#include "shared/asciicast/event_json.h"

#include "shared/asciicast/event.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

// nlohmann's SAX calls: true goes on, false ends the parse. The shape is so small that one counter
// of values seen is the whole state.
class EventHandler : public nlohmann::json_sax<nlohmann::json> {
public:
  bool start_array(std::size_t) override { return !open_ && (open_ = true); }
  bool end_array() override { return seen_ == 3; }
  bool number_integer(number_integer_t value) override {
    return number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return number(value); }
  bool string(string_t& value) override {
    if (!open_ || seen_ < 1 || seen_ > 2) {
      return false;
    }
    (seen_++ == 1 ? line.code : line.data) = std::move(value);
    return true;
  }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return false; }
  bool key(string_t&) override { return false; }
  bool end_object() override { return false; }
  // What nlohmann says would quote the file.
  bool parse_error(std::size_t at, const std::string&,
                   const nlohmann::detail::exception&) override {
    problem = "not JSON at byte " + std::to_string(at);
    return false;
  }

  AsciicastLine line;
  std::string problem = "an event is [seconds, \"code\", \"text\"]";

private:
  bool number(double seconds) {
    if (!open_ || seen_ != 0) {
      return false;
    }
    const auto us = seconds_to_us(seconds);
    if (!us) {
      problem = us.error().message;
      return false;
    }
    line.number_us = *us;
    ++seen_;
    return true;
  }

  bool open_ = false;
  int seen_ = 0;
};

}  // namespace

Result<uint64_t> seconds_to_us(double seconds) {
  const double us = seconds * 1e6;
  if (!(us >= 0) || us > static_cast<double>(kAsciicastMaxTimeUs)) {
    return Error{Errc::protocol, "a time must be 0 to ten years, in seconds"};
  }
  return static_cast<uint64_t>(std::llround(us));
}

Result<AsciicastLine> parse_event_line(std::string_view line) {
  EventHandler handler;
  try {
    if (nlohmann::json::sax_parse(line, &handler)) {
      return std::move(handler.line);
    }
  } catch (const std::exception&) {
    handler.problem = "cannot be read as JSON";
  }
  return Error{Errc::protocol, handler.problem};
}

}  // namespace sallyport
