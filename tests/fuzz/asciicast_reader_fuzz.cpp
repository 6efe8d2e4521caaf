// SPDX-License-Identifier: Apache-2.0
#include "shared/asciicast/exact_bytes.h"
#include "shared/asciicast/reader.h"
#include "shared/asciicast/writer.h"

#include <cstdlib>

using namespace sallyport;

namespace {

struct Read {
  bool good = false;
  std::vector<AsciicastEvent> events;
  std::optional<AsciicastHeader> header;
};

Read read(std::string_view file, size_t first_piece) {
  Read got;
  AsciicastReader reader;
  const size_t cut = first_piece % (file.size() + 1);
  got.good = reader.feed(file.substr(0, cut), got.events) &&
             reader.feed(file.substr(cut), got.events) && reader.finish(got.events);
  got.header = reader.header();
  return got;
}

void require(bool fact) {
  if (!fact) {
    std::abort();
  }
}

}  // namespace

// Whatever the pieces, the events are the same; and what was read can be written and read again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const Read whole = read(file, size);
  const Read pieces = read(file, size * 7 / 13);
  require(whole.good == pieces.good && whole.events == pieces.events);
  ExactDecoder exact;
  for (const AsciicastEvent& event : whole.events) {
    exact.take(event);
  }
  if (!whole.good) {
    return 0;
  }
  AsciicastHeader header = *whole.header;
  header.version = 3;
  std::string written = asciicast_header_line(header);
  AsciicastWriter writer(3);
  for (const AsciicastEvent& event : whole.events) {
    writer.append(written, event);
  }
  const Read again = read(written, 0);
  require(again.good && again.events == whole.events);
  require(again.header->sallyport == header.sallyport && again.header->title == header.title);
  return 0;
}
