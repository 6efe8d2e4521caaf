// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/asciicast/event.h"
#include "shared/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// Reads asciicast v1, v2 and v3 from bytes as they come. v2 and v3 give events line by line with no
// more memory than one line; v1 is one document of 16 MiB at most and gives its events in finish().
//
// Strict about what a file says (JSON, types, sizes, times), lenient where real files differ: empty
// lines, a v2 time that goes back (it counts as the time before), unknown codes (passed on; the
// caller ignores those it does not know), codes of more than one character (left out).
// An error names the line; after it the reader stays in error.
class AsciicastReader {
public:
  // Appends the events that these bytes complete.
  Status feed(std::string_view bytes, std::vector<AsciicastEvent>& out);

  // The end of the file. A last line without newline counts when it is whole; Errc::corrupt names
  // it when it is cut off, and everything before it has been given out.
  Status finish(std::vector<AsciicastEvent>& out);

  // Set once the header has been read (v1: after finish()).
  const std::optional<AsciicastHeader>& header() const { return header_; }

  // v3: goes on at another place of the same file, which is the beginning of a line. The interval
  // of the event there is to the one before it, unknown here: the event gets `time_us` instead.
  void restart_at(uint64_t time_us);

private:
  Status take_line(std::string_view line, std::vector<AsciicastEvent>& out);
  Status take_first_line(std::string_view line);
  Status take_event(std::string_view line, std::vector<AsciicastEvent>& out);
  Status take_v1(std::vector<AsciicastEvent>& out);
  Error fail(Errc code, const std::string& what);
  Error too_long();

  std::optional<AsciicastHeader> header_;
  std::optional<Error> failed_;
  std::string pending_;  // an unfinished line; of v1 the whole file
  bool is_v1_ = false;
  uint64_t line_ = 1;
  uint64_t time_us_ = 0;
  std::optional<uint64_t> restart_us_;
};

}  // namespace sallyport
