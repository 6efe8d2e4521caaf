// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

// One line of an asciicast, whatever its version: docs.asciinema.org/manual/asciicast/v1, v2, v3.
struct AsciicastEvent {
  uint64_t time_us = 0;  // since the start of the recording: absolute, also where v3 has intervals
  char code = 'o';       // o output, i input, r "COLSxROWS", m marker, x exit status; others: ours
  std::string data;      // valid UTF-8 (in v3 files of ours "O" holds base64, see exact_bytes.h)
  bool operator==(const AsciicastEvent&) const = default;
};

constexpr uint32_t kAsciicastUsualCols = 80;
constexpr uint32_t kAsciicastUsualRows = 24;

struct AsciicastHeader {
  int version = 3;
  uint32_t cols = kAsciicastUsualCols;
  uint32_t rows = kAsciicastUsualRows;
  std::string term_type;                  // $TERM; v1 and v2 keep it in env
  std::optional<int64_t> timestamp;       // Unix seconds
  std::optional<double> idle_time_limit;  // seconds
  std::string title;
  std::string command;
  std::vector<std::pair<std::string, std::string>> env;
  std::string sallyport;  // our header key as JSON, keys sorted; empty without one
};

constexpr size_t kAsciicastMaxLine = 16 * 1024 * 1024;  // one event; a v1 file as a whole
constexpr size_t kAsciicastMaxHeader = 1024 * 1024;     // the header line of v2 and v3
constexpr uint32_t kAsciicastMaxSize = 10000;           // columns, rows: more counts as this
constexpr uint64_t kAsciicastMaxTimeUs = 10ull * 366 * 86400 * 1000000;  // ten years

// Columns or rows as they are written and read. A terminal may have any size, and 0 where nobody
// knows it (RFC 4254 section 6.2); programs then assume the usual one.
constexpr uint32_t asciicast_size(uint64_t size, uint32_t usual) {
  return size == 0 ? usual : static_cast<uint32_t>(std::min<uint64_t>(size, kAsciicastMaxSize));
}
}  // namespace sallyport
